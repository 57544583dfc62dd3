# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A component: one folder of components/, with its component.yml and its manifests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os.path import normpath, relpath
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.deployed import Deployed, deployed
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.exceptions import FILE as COMPOSE_FILE
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.exceptions import Exceptions
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.folders import PLATFORM_FILE
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.load import check_schema, read_file, read_schema, shown
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.manifests import Base, read_base
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.meaning import in_compose
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.misplaced import in_component
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.pods import pods_of
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.problems import Problems
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.readers import OUTSIDE
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.schema import violations
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.source import File
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

_COMPONENT = "component.yml"
_MISMATCH = "CONTRACT_MANIFEST_MISMATCH"


@dataclass(frozen=True)
class Component:
    """One folder of components/. ``root`` is the platform folder that it is of.

    Folders beside ``root`` that it names, of source and of migrations, lie at ``beside`` seen from
    where the platform's own folder lies.
    """

    name: str
    root: Path
    source: File
    base: Base
    deployed: Deployed
    exceptions: Exceptions
    beside: str = "."

    @property
    def reset(self) -> dict[str, Any]:
        """What a reset does, as component.yml says it."""
        said: dict[str, Any] = self.source.data.get("reset", {})
        return said | {"schema": normpath(f"{self.beside}/{said['schema']}")} if "schema" in said else said

    @property
    def commands(self) -> dict[str, dict[str, Any]]:
        """What a user may run where it runs, by name."""
        said: dict[str, dict[str, Any]] = self.source.data.get("commands", {})
        return said

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.root / "components" / self.name

    @property
    def label(self) -> str:
        """How its folder is named in messages."""
        return f"{shown(self.root)}/components/{self.name}"

    def file(self, name: str, *, invalid: str = "CONTRACT_INVALID") -> File | None:
        """A YAML file of the folder, None where there is none. Raises ParityError as ``read_file``."""
        return _file(self.folder, self.root, name, invalid=invalid)


def read_components(heads: Mapping[Path, File]) -> dict[str, Component]:
    """The components of a platform by name; ``heads`` is the platform.yml of each of its folders, the extended ones first.

    Raises ParityError: CONTRACT_REFERENCE for one that is left out and not there, PLATFORM_COMPONENT_TWICE,
    CONTRACT_UNREADABLE, CONTRACT_INVALID, CONTRACT_SETTING_IN_SECRET, CONTRACT_DUPLICATE_KEY, CONTRACT_MANIFEST_*.
    """
    found: dict[str, Component] = {}
    *_extended, own = heads
    for folder, head in heads.items():
        for index, name in enumerate(names_left_out(head)):
            if name not in found:
                known = ", ".join(sorted(found)) or "none"
                raise ParityError(
                    "CONTRACT_REFERENCE", f"{head.where('without', index)}: no component {name} to leave out; there are {known}"
                )
            del found[name]
        for path in sorted((folder / "components").glob("[!.]*/")):
            name = path.name
            if name in found:
                todo = f"give it another name, or add {name} to `without` in {folder / PLATFORM_FILE}"
                raise ParityError("PLATFORM_COMPONENT_TWICE", f"{path}: there is {found[name].folder} already", todo)
            found[name] = _component(name, folder, relpath(folder.parent, own.parent))
    _refuse_shared_objects(found)
    return found


def names_left_out(head: File) -> list[str]:
    """The components of extended platforms that a platform.yml leaves out."""
    names: list[str] = head.data.get("without") or []
    return names


def _refuse_shared_objects(components: Mapping[str, Component]) -> None:
    """An object that two components bring: the one that is applied last would replace the other's."""
    problems = Problems()
    owners: dict[tuple[str, str, str], str] = {}
    for name, component in components.items():
        objects = {(manifest.kind, manifest.namespace, manifest.name) for manifest in component.base.manifests}
        for key in sorted(objects | set(component.base.generated)):
            owner = owners.setdefault(key, name)
            if owner != name:
                at = f"{key[0]} {key[2]}" + (f" in namespace {key[1]}" if key[1] else "")
                problems.add(_MISMATCH, f"{component.label}/kubernetes", f"{at} is {components[owner].label}'s already")
    problems.refuse()


def _component(name: str, root: Path, beside: str) -> Component:
    folder = root / "components" / name
    label = f"{shown(root)}/components/{name}"
    _check_name(name, label)
    if not (folder / _COMPONENT).exists():
        raise ParityError(
            "CONTRACT_UNREADABLE", f"{label}/{_COMPONENT}: there is no such file", f"write {folder / _COMPONENT}, or remove the folder"
        )
    source = read_file(folder / _COMPONENT, root)
    check_schema(source, "component", "CONTRACT_INVALID", in_component(source.data))
    manifests = folder / "kubernetes"
    if not manifests.is_dir():
        todo = f"write a workload named {name} to {manifests}/{name}.yaml"
        raise ParityError(_MISMATCH, f"{label}: has no folder kubernetes/ with its manifests", todo)
    base = read_base(manifests, f"{label}/kubernetes")
    where = deployed(name, base, f"{label}/kubernetes", connected=bool(source.data.get("ports")))
    return Component(name, root, source, base, where, _exceptions(name, root, source, base, beside), beside)


def _exceptions(name: str, root: Path, source: File, base: Base, beside: str) -> Exceptions:
    file = _file(root / "components" / name, root, COMPOSE_FILE)
    if file is not None:
        check_schema(file, "compose", "CONTRACT_INVALID", in_compose(file.data, name, pods_of(base), source.data.get("settings", ())))
    return Exceptions.parse(file, beside)


def _file(folder: Path, root: Path, name: str, *, invalid: str = "CONTRACT_INVALID") -> File | None:
    return read_file(folder / name, root, invalid=invalid) if (folder / name).is_file() else None


def _check_name(name: str, label: str) -> None:
    """A component's name is that of its folder."""
    for _path, sentence in violations(read_schema("component")["$defs"]["name"], name):
        raise ParityError("CONTRACT_INVALID", f"{label}: the folder's name {sentence}", "rename the folder")
    if name in OUTSIDE:
        raise ParityError("CONTRACT_INVALID", f"{label}: secrets have a reader of that name, which is no component", "rename the folder")
