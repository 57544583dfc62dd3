# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A platform folder, and those that it extends, as one contract with its components."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.assemble import assemble
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.contract import Contract, Mode
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.deployed import Deployed, deployed
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.exceptions import FILE as COMPOSE_FILE
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.exceptions import Exceptions
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.load import REFERENCE, check_schema, read_file
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.manifests import Base, read_base
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.meaning import in_compose
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.misplaced import in_component, in_mode, in_platform
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.pods import pods_of
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.source import File, Merged, Source
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

FILE = "platform.yml"
_NAME = re.compile(r"[a-z][a-z0-9_-]*")
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
    """``folders`` are the platform's own and those it extends, the extended ones first."""

    folders: Sequence[Path]
    contract: Contract
    realm: Source | None
    components: Mapping[str, Component]

    @property
    def folder(self) -> Path:
        """The platform's own folder."""
        return self.folders[-1]

    def mode(self, name: str) -> Mode:
        """A mode by name.

        Raises ParityError: CONTRACT_UNKNOWN_MODE, CONTRACT_UNREADABLE, CONTRACT_DUPLICATE_KEY, MODE_INVALID,
        MODE_OVERRIDES_CONTRACT.
        """
        if not _NAME.fullmatch(name) or name not in self.mode_names:
            raise ParityError("CONTRACT_UNKNOWN_MODE", f"mode {name!r}; known are: {', '.join(self.mode_names) or 'none'}")
        source = _merged(self.folders, f"modes/{name}.yml", "MODE_INVALID", self._placement_that_is_left)
        check_schema(source, "mode", "MODE_INVALID", in_mode(source.data))
        mode = Mode.parse(source, self.contract)
        if mode.name != name:
            raise ParityError("MODE_INVALID", f"{source.where('mode')}: is {mode.name}, the file's name says {name}")
        return mode

    @cached_property
    def mode_names(self) -> list[str]:
        """The modes that there is a file for, sorted."""
        return sorted({file.stem for folder in self.folders for file in (folder / "modes").glob("*.yml")})

    def merged(self, name: str, *, invalid: str = "CONTRACT_INVALID") -> Source | None:
        """A file that the platform and those it extends may each have, merged; None where none has it.

        Raises ParityError as ``read_file``.
        """
        return _merged(self.folders, name, invalid) if _having(self.folders, name) else None

    def _placement_that_is_left(self, file: File) -> File:
        """What an extended platform's mode says of components that this platform left out is left out too."""
        placement = file.data.get("placement") if isinstance(file.data, dict) else None
        if not isinstance(placement, dict):
            return file
        kept = {name: value for name, value in placement.items() if name in self.components}
        return file.with_data(file.data | {"placement": kept})


def load_platform(folder: Path) -> Platform:
    """Read a platform: its own folder and, first, those that it extends.

    Raises ParityError: PLATFORM_MISSING, PLATFORM_EXTENDS, PLATFORM_COMPONENT_TWICE, CONTRACT_*.
    """
    folders = _folders(folder, ())
    source = _merged(folders, FILE, "CONTRACT_INVALID")
    check_schema(source, "platform", "CONTRACT_INVALID", in_platform(source.data))
    components = _components(folders)
    realm = _merged(folders, "realm.yml", "CONTRACT_INVALID") if _having(folders, "realm.yml") else None
    found = assemble(source, {name: component.source for name, component in components.items()}, realm)
    where = {name: component.deployed for name, component in components.items()}
    contract = Contract.parse(found, where, {name: component.exceptions for name, component in components.items()})
    return Platform(folders, contract, realm, components)


def _folders(folder: Path, trail: tuple[Path, ...]) -> tuple[Path, ...]:
    folder = folder.absolute().resolve()
    if folder in trail:
        circle = " -> ".join(str(path) for path in (*trail[trail.index(folder) :], folder))
        raise ParityError("PLATFORM_EXTENDS", f"platforms that extend each other: {circle}")
    if not (folder / FILE).is_file():
        raise ParityError("PLATFORM_MISSING", f"{folder} holds no {FILE}")
    file = read_file(folder / FILE, folder)
    extends = file.data.get("extends") if isinstance(file.data, dict) else None
    if extends is None:
        return (folder,)
    if not isinstance(extends, str):
        raise ParityError("PLATFORM_EXTENDS", f"{file.where('extends')}: must be `reference` or a folder")
    below = REFERENCE if extends == "reference" else folder / extends
    if not (below / FILE).is_file():
        raise ParityError("PLATFORM_EXTENDS", f"{file.where('extends')}: {below} holds no {FILE}")
    return (*_folders(below, (*trail, folder)), folder)


def _merged(folders: Sequence[Path], name: str, invalid: str, adjust: Callable[[File], File] | None = None) -> Source:
    """A file of those folders that have it, merged; ``adjust`` changes what the extended ones say."""
    found = []
    for folder in _having(folders, name):
        file = read_file(folder / name, folder, invalid=invalid)
        found.append(adjust(file) if adjust and folder != folders[-1] else file)
    return Merged(found) if len(found) > 1 else found[0]


def _having(folders: Sequence[Path], name: str) -> list[Path]:
    return [folder for folder in folders if (folder / name).exists()]


def _components(folders: Sequence[Path]) -> dict[str, Component]:
    found: dict[str, Component] = {}
    for folder in folders:
        file = read_file(folder / FILE, folder)
        _leave_out(found, file)
        for path in sorted((folder / "components").glob("*/")):
            name = path.name
            if name in found:
                seen = f"{folder.name}/components/{name}: {found[name].label} has that name"
                raise ParityError("PLATFORM_COMPONENT_TWICE", seen, f"give it another name, or add {name} to `without` in {folder / FILE}")
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
