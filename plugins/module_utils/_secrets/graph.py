# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets that lead to others: ``derived_from`` and ``wrapped_by``, as the contract says them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.types.table import TYPES

Wanted = Mapping[str, Mapping[str, Any]]
"""Secrets of a contract by name: type, readers, and where they come from."""
_LEADS = {"derived_from": "derives", "wrapped_by": "wraps"}


class Fault(NamedTuple):
    """A reason id, the secret and its field, and what is wrong there."""

    reason: str
    name: str
    field: str
    text: str


def faults(wanted: Wanted) -> Iterator[Fault]:
    """Everything that keeps the secrets of a contract from having values."""
    known = {name: secret for name, secret in wanted.items() if secret.get("type") in TYPES}
    for name in sorted(set(wanted) - set(known)):
        yield Fault("CONTRACT_INVALID", name, "type", f"must be one of {', '.join(sorted(TYPES))}")
    for name, secret in sorted(known.items()):
        if all(lead in secret for lead in _LEADS):
            yield Fault("CONTRACT_INVALID", name, "wrapped_by", "is given with derived_from: what is derived is not stored")
        if "derived_from" in secret and not TYPES[secret["type"]].derivable:
            yield Fault("CONTRACT_INVALID", name, "derived_from", f"is given for a {secret['type']}, which cannot be derived")
        for lead, able in _LEADS.items():
            if lead in secret:
                yield from _lead(wanted, name, lead, able)
    yield from _cycles(wanted)


def refuse(wanted: Wanted) -> None:
    """Raise ParityError CONTRACT_INVALID, CONTRACT_REFERENCE or CONTRACT_CYCLE for the first fault, with all of them."""
    found = list(faults(wanted))
    if found:
        raise ParityError(found[0].reason, "\n".join(f"secrets.{fault.name}.{fault.field}: {fault.text}" for fault in found))


def derived_of(wanted: Wanted, name: str) -> list[str]:
    """The secrets that follow from one, at first or second hand, sorted."""
    near = {other for other, secret in wanted.items() if secret.get("derived_from") == name}
    return sorted(near.union(*(derived_of(wanted, other) for other in near)))


def origin_of(wanted: Wanted, name: str) -> str:
    """The secret that one follows from in the end: itself where it is not derived."""
    parent = wanted[name].get("derived_from")
    return name if parent is None else origin_of(wanted, parent)


def _lead(wanted: Wanted, name: str, lead: str, able: str) -> Iterator[Fault]:
    parent = wanted[name][lead]
    if parent not in wanted:
        yield Fault("CONTRACT_REFERENCE", name, lead, f"no secret {parent} is defined")
        return
    type_ = wanted[parent].get("type")
    if type_ in TYPES and not getattr(TYPES[type_], able):
        fit = " or ".join(sorted(other for other, kind in TYPES.items() if getattr(kind, able)))
        yield Fault("CONTRACT_INVALID", name, lead, f"{parent} is a {type_}, and must be a {fit}")


def _cycles(wanted: Wanted) -> Iterator[Fault]:
    """Each circle once, at the first of its names in alphabetical order."""
    told: set[str] = set()
    for name in sorted(wanted):
        trail = [name]
        while (parent := _parent(wanted[trail[-1]])) in wanted and parent not in trail:
            trail.append(str(parent))
        if parent == name and name not in told:
            told |= set(trail)
            lead, *_others = [lead for lead in _LEADS if lead in wanted[name]]
            yield Fault("CONTRACT_CYCLE", name, lead, " -> ".join([*trail, name]))


def _parent(secret: Mapping[str, Any]) -> str | None:
    """What a secret leads to. One that leads to two is refused already."""
    return next((secret[lead] for lead in _LEADS if lead in secret), None)
