# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each container waits for: readiness, and the end of those that end."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.compose_services import Part
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError


def depends_on(parts: Mapping[str, Part], components: Collection[str], deliverer: str) -> dict[str, dict[str, Any]]:
    """``depends_on`` of every container by name; all wait for the one that hands out their files.

    ``components`` are all of the platform; those without a container are provided elsewhere.

    Raises ParityError: CONTRACT_REFERENCE for a name that leads nowhere, CONTRACT_CYCLE for containers that wait for each other.
    """
    found = {}
    for name, part in parts.items():
        for waited in part.waits:
            if waited not in parts and waited not in components:
                raise ParityError("CONTRACT_REFERENCE", f"{name} waits for {waited}, and nothing has that name")
        awaited = [waited for waited in dict.fromkeys(part.waits) if waited in parts]
        ready = {deliverer: {"condition": "service_healthy"}}
        found[name] = ready | {one: {"condition": _condition(parts[one])} for one in awaited}
    _refuse_cycles(found)
    return found


def _condition(part: Part) -> str:
    return "service_completed_successfully" if part.once else "service_healthy"


def _refuse_cycles(order: Mapping[str, Mapping[str, Any]]) -> None:
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        if name in trail:
            circle = " -> ".join((*trail[trail.index(name) :], name))
            raise ParityError("CONTRACT_CYCLE", f"containers that wait for each other: {circle}")
        if name not in done:
            for waited in order.get(name, ()):
                visit(waited, (*trail, name))
            done.add(name)

    for name in order:
        visit(name, ())
