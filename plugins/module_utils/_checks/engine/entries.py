# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The entries of a checks.yml: what is checked, where it holds and for which gate. Their arguments are not read yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import PLATFORM, Phase
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.load import check_schema, read_file
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import Platform
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.source import Source
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

FILE = "checks.yml"
_INVALID = "CHECKS_INVALID"
# What every entry says, besides the arguments of its type.
_COMMON = ("id", "proves", "phase", "type", "targets", "gate", "ungated", "budget")


@dataclass(frozen=True)
class Entry:
    """One check as it is written, and its place. ``gate`` or ``ungated``, the reason why it has none, is empty."""

    source: Source
    index: int
    component: str
    data: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.data["id"])

    @property
    def type(self) -> str:
        return str(self.data["type"])

    @property
    def proves(self) -> str:
        return str(self.data["proves"])

    @property
    def phase(self) -> Phase:
        phase: Phase = self.data["phase"]
        return phase

    @property
    def targets(self) -> frozenset[str]:
        return frozenset(self.data["targets"])

    @property
    def gate(self) -> str:
        return str(self.data.get("gate", ""))

    @property
    def ungated(self) -> str:
        return str(self.data.get("ungated", ""))

    @property
    def arguments(self) -> dict[str, Any]:
        """What is meant for the type of the check alone."""
        return {key: value for key, value in self.data.items() if key not in _COMMON}

    def where(self, *path: str | int) -> str:
        """The place of the entry, or of something in it, for messages."""
        return self.source.where(self.index, *path)

    def wrong(self, seen: str, *path: str | int) -> ParityError:
        """The error of an entry that says what cannot be."""
        where = self.where(*path)
        return ParityError(_INVALID, f"{where}: {self.id}: {seen}", f"correct {where}", {"path": where})


def entries_of(source: Source, component: str = PLATFORM) -> list[Entry]:
    """The entries of one file. Raises ParityError ``CHECKS_INVALID`` that names every place of the wrong shape."""
    check_schema(source, "checks", _INVALID, iter(()))
    return [Entry(source, index, component, data) for index, data in enumerate(source.data)]


def read_entries(platform: Platform, components: Iterable[str]) -> list[Entry]:
    """The entries of a platform, of those that it extends, and of some of its components, in this order.

    Raises ParityError ``CHECK_MISSING`` for a component without the file, ``CHECKS_INVALID`` for a file that cannot be
    used and for an id that two entries have, ``CONTRACT_UNREADABLE``, ``CONTRACT_DUPLICATE_KEY``.
    """
    found = [entry for source in _of_platform(platform) for entry in entries_of(source)]
    for name in components:
        found += entries_of(_of_component(platform, name), name)
    first: dict[str, Entry] = {}
    for entry in found:
        other = first.setdefault(entry.id, entry)
        if other is not entry:
            raise entry.wrong(f"two checks have this id; the other is {other.where('id')}", "id")
    return found


def _of_platform(platform: Platform) -> Iterator[Source]:
    for folder in platform.folders:
        if (folder / FILE).is_file():
            yield read_file(folder / FILE, folder, invalid=_INVALID)


def _of_component(platform: Platform, name: str) -> Source:
    component = platform.components[name]
    source = component.file(FILE, invalid=_INVALID)
    if source is None:
        seen = f"{component.label}/{FILE} does not exist"
        raise ParityError("CHECK_MISSING", seen, f"write {component.label}/{FILE}; it says how {name} is proved to be ready")
    return source
