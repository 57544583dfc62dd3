# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A platform folder, and those that it extends, as one contract with its components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.assemble import assemble
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.contract import Contract, Mode
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.deployed import Deployed, deployed
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.exceptions import FILE as COMPOSE_FILE
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.exceptions import Exceptions
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.folders import (
    PLATFORM_FILE,
    merged,
    mode_names,
    platform_folders,
)
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.head import mode_source
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.instance import check_instance
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.load import check_schema, read_file
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.manifests import Base, read_base
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.meaning import in_compose
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.misplaced import in_component, in_platform
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.pods import pods_of
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.source import File, Source
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

_COMPONENT = "component.yml"


@dataclass(frozen=True)
class Component:
    """One folder of components/. ``root`` is the platform folder that it is of."""

    name: str
    root: Path
    source: File
    base: Base
    deployed: Deployed
    exceptions: Exceptions

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.root / "components" / self.name

    @property
    def label(self) -> str:
        """How its folder is named in messages."""
        return f"{self.root.name}/components/{self.name}"

    def file(self, name: str, *, invalid: str = "CONTRACT_INVALID") -> File | None:
        """A YAML file of the folder, None where there is none. Raises ParityError as ``read_file``."""
        return _file(self.folder, self.root, name, invalid=invalid)


@dataclass(frozen=True)
class Platform:
    """``folders`` are those that it extends and its own; ``left_out`` are components of the former that it does without."""

    folders: tuple[Path, ...]
    contract: Contract
    realm: Source | None
    components: Mapping[str, Component]
    left_out: frozenset[str]

    @property
    def folder(self) -> Path:
        """The platform's own folder."""
        return self.folders[-1]

    def mode(self, name: str, instance: str = "") -> Mode:
        """A mode by name, for an instance of the platform on this machine.

        Raises ParityError: INSTANCE_INVALID, CONTRACT_UNKNOWN_MODE, CONTRACT_UNREADABLE, CONTRACT_DUPLICATE_KEY,
        MODE_INVALID, MODE_OVERRIDES_CONTRACT.
        """
        check_instance(instance)
        return Mode.parse(mode_source(self.folders, name, left_out=self.left_out), self.contract, instance)

    @property
    def mode_names(self) -> list[str]:
        """The modes that there is a file for, sorted."""
        return mode_names(self.folders)

    def merged(self, name: str, *, invalid: str = "CONTRACT_INVALID") -> Source | None:
        """A file that the platform and those it extends may each have, merged; None where none has it.

        Raises ParityError as ``read_file``.
        """
        return merged(self.folders, name, invalid=invalid)


def load_platform(folder: Path) -> Platform:
    """Read a platform: its own folder and, first, those that it extends.

    Raises ParityError: PLATFORM_MISSING, PLATFORM_EXTENDS, PLATFORM_COMPONENT_TWICE, CONTRACT_*.
    """
    folders = platform_folders(folder)
    source = merged(folders, PLATFORM_FILE)
    if source is None:
        raise ParityError("PLATFORM_MISSING", f"{folder} holds no {PLATFORM_FILE}")
    check_schema(source, "platform", "CONTRACT_INVALID", in_platform(source.data))
    components = _components(folders)
    realm = merged(folders, "realm.yml")
    found = assemble(source, {name: component.source for name, component in components.items()}, realm)
    where = {name: component.deployed for name, component in components.items()}
    contract = Contract.parse(found, where, {name: component.exceptions for name, component in components.items()})
    left_out = frozenset(source.data.get("without", ())) - set(components)
    return Platform(folders, contract, realm, components, left_out)


def _components(folders: Sequence[Path]) -> dict[str, Component]:
    found: dict[str, Component] = {}
    for folder in folders:
        file = read_file(folder / PLATFORM_FILE, folder)
        _leave_out(found, file)
        for path in sorted((folder / "components").glob("*/")):
            name = path.name
            if name in found:
                seen = f"{folder.name}/components/{name}: {found[name].label} has that name"
                raise ParityError("PLATFORM_COMPONENT_TWICE", seen, f"rename it, or add {name} to `without` in {folder / PLATFORM_FILE}")
            found[name] = _component(name, folder)
    return found


def _leave_out(found: dict[str, Component], file: File) -> None:
    """Drop what `without` of a platform names of those that it extends."""
    names: Any = (file.data if isinstance(file.data, dict) else {}).get("without") or []
    for index, name in enumerate(names if isinstance(names, list) else []):
        if name not in found:
            known = ", ".join(sorted(found)) or "none"
            raise ParityError("CONTRACT_REFERENCE", f"{file.where('without', index)}: no component {name} to leave out; there are {known}")
        del found[name]


def _component(name: str, root: Path) -> Component:
    folder = root / "components" / name
    label = f"{root.name}/components/{name}"
    if not (folder / _COMPONENT).is_file():
        raise ParityError("CONTRACT_UNREADABLE", f"{label}/{_COMPONENT}: No such file or directory")
    source = read_file(folder / _COMPONENT, root)
    check_schema(source, "component", "CONTRACT_INVALID", in_component(source.data))
    manifests = folder / "kubernetes"
    if not manifests.is_dir():
        raise ParityError("CONTRACT_MANIFEST_MISMATCH", f"{label}: has no folder kubernetes/ with its manifests")
    base = read_base(manifests, f"{label}/kubernetes")
    where = deployed(name, base, f"{label}/kubernetes", connected=bool(source.data.get("ports")))
    return Component(name, root, source, base, where, _exceptions(name, root, source, base))


def _exceptions(name: str, root: Path, source: File, base: Base) -> Exceptions:
    file = _file(root / "components" / name, root, COMPOSE_FILE)
    if file is not None:
        check_schema(file, "compose", "CONTRACT_INVALID", in_compose(file.data, name, pods_of(base), source.data.get("settings", ())))
    return Exceptions.parse(file)


def _file(folder: Path, root: Path, name: str, *, invalid: str = "CONTRACT_INVALID") -> File | None:
    return read_file(folder / name, root, invalid=invalid) if (folder / name).is_file() else None
