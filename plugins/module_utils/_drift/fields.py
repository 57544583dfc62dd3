# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fields in which two objects differ, one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


class _Absent:
    """A field that is not there, which is not the same as an empty one."""

    def __repr__(self) -> str:
        return "absent"


ABSENT = _Absent()
# What the server keeps of an object besides what it was told (ObjectMeta of meta/v1).
_OF_THE_SERVER = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid")


@dataclass(frozen=True)
class Difference:
    """A field, as ``spec.ports[name=http].port``, with its value in the one and in the other object, or ``ABSENT``."""

    field: str
    live: Any
    wanted: Any


def differences(live: dict[str, Any], wanted: dict[str, Any]) -> list[Difference]:
    """Where an object is not as it is ``wanted``; status and what the server keeps for itself do not count."""
    return list(_compared("", _stated(live), _stated(wanted)))


def _stated(obj: dict[str, Any]) -> dict[str, Any]:
    meta = {key: value for key, value in obj["metadata"].items() if key not in _OF_THE_SERVER}
    return {**{key: value for key, value in obj.items() if key != "status"}, "metadata": meta}


def _compared(path: str, live: Any, wanted: Any) -> Iterator[Difference]:
    if live == wanted:
        return
    match live, wanted:
        case dict(), dict():
            for key in sorted({*live, *wanted}):
                yield from _compared(f"{path}.{key}" if path else key, live.get(key, ABSENT), wanted.get(key, ABSENT))
        case list(), list() if named := _named(live, wanted):
            ours, theirs = named
            for name in dict.fromkeys([*theirs, *ours]):
                yield from _compared(f"{path}[name={name}]", ours.get(name, ABSENT), theirs.get(name, ABSENT))
            if ours.keys() == theirs.keys() and all(ours[name] == theirs[name] for name in ours):
                # The same items in another order, which counts for containers and their environment.
                yield Difference(path, list(ours), list(theirs))
        case list(), list() if len(live) == len(wanted):
            for index, (one, other) in enumerate(zip(live, wanted, strict=True)):
                yield from _compared(f"{path}[{index}]", one, other)
        case list(), list() if (more := [item for item in live if item not in wanted]) or any(item not in live for item in wanted):
            # What both have says nothing, and hides the rest.
            yield Difference(path, more, [item for item in wanted if item not in live])
        case _:
            yield Difference(path, live, wanted)


def _named(live: list[Any], wanted: list[Any]) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Both lists by the names of their items; None where an item has none, or two have the same."""
    found = []
    for items in (live, wanted):
        by_name = {item["name"]: item for item in items if isinstance(item, dict) and isinstance(item.get("name"), str)}
        if len(by_name) != len(items):
            return None
        found.append(by_name)
    return found[0], found[1]
