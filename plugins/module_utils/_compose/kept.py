# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the components of a contract keep, and how a reset empties it or brings it back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MIGRATION = re.compile(r"\d{4}_[a-z0-9_]+\.sql")


@dataclass(frozen=True)
class Kept:
    """What one component keeps; ``empty`` is a command in ``container`` that forgets it."""

    component: str
    container: str
    empty: list[str]


@dataclass(frozen=True)
class Seeded(Kept):
    """Data that have a snapshot.

    ``state`` prints the schema versions of both, ``restore`` makes the data what the snapshot is.
    ``fill`` are containers that fill what is empty and end, in this order. ``schema`` is a folder with
    the migrations of the checkout's code. ``users`` cannot be ready without the data.
    """

    state: list[str]
    restore: list[str]
    fill: list[str]
    schema: Path
    users: list[str]


def kept(contract: Mapping[str, Any], checkout: Path) -> list[Kept]:
    """What the components of a resolved contract say of a reset, those with a snapshot first."""
    here = {name: service for name, service in contract["services"].items() if "provided_by" not in service}
    found: list[Kept] = []
    for name, service in sorted(here.items()):
        said = service.get("reset", {})
        container = said.get("in", name)
        if not said or container not in here:
            continue
        if "restore" in said:
            schema = checkout / said["schema"]
            users = _users(name, here)
            found.insert(0, Seeded(name, container, said["empty"], said["state"], said["restore"], said["fill"], schema, users))
        else:
            found.append(Kept(name, container, said["empty"]))
    return found


def seeded(found: list[Kept]) -> list[Seeded]:
    """Those that have a snapshot."""
    return [one for one in found if isinstance(one, Seeded)]


def code_version(migrations: Path) -> int:
    """The schema that the checkout's code was written for: its migrations are numbered without gaps."""
    return sum(1 for path in migrations.glob("*.sql") if _MIGRATION.fullmatch(path.name))


def _users(name: str, services: Mapping[str, Any]) -> list[str]:
    """The component itself, and what needs it, directly or not."""
    found = {name}
    while more := {one for one, service in services.items() if found & set(service["needs"])} - found:
        found |= more
    return sorted(found)
