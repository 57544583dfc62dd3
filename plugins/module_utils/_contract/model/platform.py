# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A platform folder, and those that it extends, as one contract with its components."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.assemble import assemble
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.contract import Contract, Mode
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.deployed import Deployed, deployed
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.load import REFERENCE, check_schema, read_file, read_schema
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.manifests import Base, read_base
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.misplaced import in_component, in_mode, in_platform
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.problems import Problems
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.readers import OUTSIDE
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.schema import violations
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.source import File, Merged, Source, merge
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
        path = self.folder / name
        return read_file(path, self.root, invalid=invalid) if path.is_file() else None


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
    heads = _heads(folder)
    folders, files = list(heads), list(heads.values())
    # Each by itself, so that what is wrong with an extended one is not hidden by what replaces it.
    for count in range(1, len(files) + 1):
        whole = Merged(files[:count])
        check_schema(whole, "platform", "CONTRACT_INVALID", in_platform(whole.data))
    components = _components(heads)
    _refuse_shared_objects(components)
    gone = {name for file in files for name in _without(file)} - set(components)
    source = Merged([*(_lanes_that_are_left(file, gone) for file in files[:-1]), files[-1]])
    realm = _merged(folders, "realm.yml", "CONTRACT_INVALID") if _having(folders, "realm.yml") else None
    found = assemble(source, {name: component.source for name, component in components.items()}, realm)
    contract = Contract.parse(found, {name: component.deployed for name, component in components.items()})
    return Platform(folders, contract, realm, components)


def _heads(folder: Path) -> dict[Path, File]:
    """platform.yml of a platform and of those that it extends, by folder, the extended ones first."""
    folder = folder.absolute().resolve()
    if not (folder / FILE).is_file():
        raise ParityError("PLATFORM_MISSING", f"{folder} holds no {FILE}")
    found: dict[Path, File] = {}
    while True:
        file = read_file(folder / FILE, folder)
        found = {folder: file, **found}
        extends = file.data.get("extends") if isinstance(file.data, dict) else None
        if extends is None:
            return found
        where = file.where("extends")
        if not isinstance(extends, str) or not extends:
            raise ParityError("PLATFORM_EXTENDS", f"{where}: must be `reference` or the folder of another platform")
        below = (REFERENCE if extends == "reference" else folder / extends).resolve()
        if not (below / FILE).is_file():
            raise ParityError("PLATFORM_EXTENDS", f"{where}: {below} holds no {FILE}")
        if below in found:
            trail = [*reversed(found)]
            circle = " -> ".join(str(path) for path in (*trail[trail.index(below) :], below))
            raise ParityError("PLATFORM_EXTENDS", f"{where}: platforms that extend each other, {circle}")
        folder = below


def _without(file: File) -> list[str]:
    """The components of extended platforms that a platform.yml leaves out."""
    return file.data.get("without") or []


def _lanes_that_are_left(file: File, gone: set[str]) -> File:
    """What an extended platform's lanes say of components that were left out is left out too."""
    lanes = file.data.get("lanes") or {}
    kept = {name: [one for one in lane["components"] if one not in gone] for name, lane in lanes.items() if lane and "components" in lane}
    return file.with_data(merge(file.data, {"lanes": {name: {"components": members} for name, members in kept.items()}}))


def _merged(folders: Sequence[Path], name: str, invalid: str, adjust: Callable[[File], File] | None = None) -> Source:
    """A file of those folders that have it, merged; ``adjust`` changes what the extended ones say."""
    having = _having(folders, name)
    files = [read_file(folder / name, folder, invalid=invalid) for folder in having]
    return Merged([adjust(file) if adjust and folder != folders[-1] else file for folder, file in zip(having, files, strict=True)])


def _having(folders: Sequence[Path], name: str) -> list[Path]:
    return [folder for folder in folders if (folder / name).exists()]


def _components(heads: Mapping[Path, File]) -> dict[str, Component]:
    found: dict[str, Component] = {}
    for folder, file in heads.items():
        for index, name in enumerate(_without(file)):
            if name not in found:
                known = ", ".join(sorted(found)) or "none"
                seen = f"{file.where('without', index)}: no component {name} to leave out; there are {known}"
                raise ParityError("CONTRACT_REFERENCE", seen)
            del found[name]
        for path in sorted((folder / "components").glob("[!.]*/")):
            name = path.name
            if name in found:
                seen = f"{path}: there is {found[name].folder} already"
                raise ParityError("PLATFORM_COMPONENT_TWICE", seen, f"give it another name, or add {name} to `without` in {folder / FILE}")
            found[name] = _component(name, folder)
    return found


def _refuse_shared_objects(components: Mapping[str, Component]) -> None:
    """An object that two components bring: the one that is applied last would replace the other's."""
    problems = Problems()
    owners: dict[tuple[str, str, str], str] = {}
    for name, component in components.items():
        objects = {(manifest.kind, manifest.namespace, manifest.name) for manifest in component.base.manifests}
        for key in sorted(objects | component.base.generated):
            owner = owners.setdefault(key, name)
            if owner != name:
                at = f"{key[0]} {key[2]}" + (f" in namespace {key[1]}" if key[1] else "")
                problems.add("CONTRACT_MANIFEST_MISMATCH", f"{component.label}/kubernetes", f"{at} is {components[owner].label}'s already")
    problems.refuse()


def _component(name: str, root: Path) -> Component:
    folder = root / "components" / name
    label = f"{root.name}/components/{name}"
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
        raise ParityError("CONTRACT_MANIFEST_MISMATCH", f"{label}: has no folder kubernetes/ with its manifests", todo)
    base = read_base(manifests, f"{label}/kubernetes")
    where = deployed(name, base, f"{label}/kubernetes", connected=bool(source.data.get("ports")))
    return Component(name, root, source, base, where)


def _check_name(name: str, label: str) -> None:
    """A component's name is that of its folder."""
    for _, sentence in violations(read_schema("component")["$defs"]["name"], name):
        raise ParityError("CONTRACT_INVALID", f"{label}: the folder's name {sentence}", "rename the folder")
    if name in OUTSIDE:
        raise ParityError("CONTRACT_INVALID", f"{label}: secrets have a reader of that name, which is no component", "rename the folder")
