# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A platform folder, and those that it extends, as one contract with its components."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.assemble import assemble
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.component import Component, names_left_out, read_components
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.contract import Contract, Mode
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.folders import (
    PLATFORM_FILE,
    files_of,
    merged,
    mode_names,
    platform_folders,
)
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.head import mode_source
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.instance import check_instance
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.left_out import without_members
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.load import check_schema
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.misplaced import in_platform
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.source import Merged, Source


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

    def mode(self, name: str, instance: str = "", security: str = "") -> Mode:
        """A mode by name, for an instance of the platform on this machine; ``security`` in place of its own security mode.

        Raises ParityError: INSTANCE_INVALID, CONTRACT_UNKNOWN_MODE, CONTRACT_UNREADABLE, CONTRACT_DUPLICATE_KEY,
        MODE_INVALID, MODE_OVERRIDES_CONTRACT.
        """
        check_instance(instance)
        return Mode.parse(mode_source(self.folders, name, left_out=self.left_out), self.contract, instance, security)

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
    heads = files_of(folders, PLATFORM_FILE)
    *below, own = heads.values()
    # Each as it is by itself, so that what is wrong with an extended one is not hidden by what replaces it.
    for count in range(1, len(folders) + 1):
        whole = Merged([*below, own][:count])
        check_schema(whole, "platform", "CONTRACT_INVALID", in_platform(whole.data))
    components = read_components(heads)
    gone = frozenset(name for head in heads.values() for name in names_left_out(head)) - set(components)
    source = Merged([*(without_members(head, gone) for head in below), own])
    realm = merged(folders, "realm.yml")
    found = assemble(source, {name: component.source for name, component in components.items()}, realm, gone)
    contract = Contract.parse(found, components)
    return Platform(folders, contract, realm, components, gone)
