# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the entries of a checks.yml to typed checks; everything that is not understood is refused with its place."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterable
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.causes import needed_by
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.entries import Entry
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Check, CheckType, target_of
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.references import resolve
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types import TYPES

# An argument of a type that its entry does not write: it follows from where the entry stands.
_GIVEN = "component"


def _fits(value: object, wanted: Any) -> bool:
    origin = typing.get_origin(wanted)
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, one) for one in typing.get_args(wanted))
    if origin is typing.Literal:
        return value in typing.get_args(wanted)
    if origin in (list, tuple):
        return isinstance(value, list) and all(_fits(item, typing.get_args(wanted)[0]) for item in value)
    if origin is dict:
        return isinstance(value, dict) and all(isinstance(key, str) for key in value)
    if wanted is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if wanted is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return wanted is Any or (isinstance(wanted, type) and isinstance(value, wanted))


def _name(wanted: Any) -> str:
    return wanted.__name__ if isinstance(wanted, type) and not typing.get_args(wanted) else str(wanted).replace("typing.", "")


def _body(entry: Entry, given: dict[str, Any]) -> CheckType:
    cls: Any = TYPES[entry.type]
    # Resolved against the class's own module: annotations are strings there.
    wanted = typing.get_type_hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls)}
    if _GIVEN in fields:
        given = {_GIVEN: entry.component, **given}
    for key, value in given.items():
        if not _fits(value, wanted[key]):
            raise entry.wrong(f"{value!r} is not {_name(wanted[key])}", key)
    no_default = dataclasses.MISSING
    for name, field in fields.items():
        if name not in given and field.default is no_default and field.default_factory is no_default:
            raise entry.wrong(f"the type {entry.type} needs {name}", name)
    try:
        body: CheckType = cls(**given)
    except ValueError as error:
        raise entry.wrong(str(error)) from error
    return body


def _check_type(entry: Entry) -> None:
    """The type exists, has these arguments and can be made on these targets."""
    if entry.type not in TYPES:
        raise entry.wrong(f"there is no type {entry.type}; there are {', '.join(TYPES)}", "type")
    cls: Any = TYPES[entry.type]
    foreign = sorted(entry.targets - cls.targets)
    if foreign:
        raise entry.wrong(f"the type {entry.type} serves {', '.join(sorted(cls.targets))}, not {', '.join(foreign)}", "targets")
    known = {field.name for field in dataclasses.fields(cls)} - {_GIVEN}
    for key in entry.arguments:
        if key not in known:
            raise entry.wrong(f"the type {entry.type} has no such argument; it has {', '.join(sorted(known)) or 'none'}", key)


def provided(contract: dict[str, Any], component: str) -> bool:
    """Whether the mode's surroundings do a component's job, so that nothing of it is ours to check."""
    return bool((contract.get("services", {}).get(component) or {}).get("provided_by"))


def parse(entries: Iterable[Entry], contract: dict[str, Any]) -> list[Check]:
    """The checks that hold where the platform of the contract runs; entries for other targets must be well-formed too.

    Raises ParityError ``CHECKS_INVALID``, whose details hold the place of the offending entry.
    """
    checks = []
    for entry in entries:
        _check_type(entry)
        # Before references are resolved: what another target has, this one's contract may lack.
        if target_of(contract) not in entry.targets or provided(contract, entry.component):
            continue
        try:
            given = resolve(entry.arguments, contract)
        except ValueError as error:
            raise entry.wrong(str(error)) from error
        body = _body(entry, given)
        needs = needed_by(contract.get("services", {}), entry.component)
        budget = entry.data.get("budget")
        checks.append(Check(entry.id, entry.component, entry.proves, entry.phase, entry.type, body, budget, entry.gate, needs))
    return checks
