# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a role's checks.yml to typed checks; everything that is not understood is refused with its path."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils import _yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.kinds import KINDS, targets_of
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.model import PLATFORM, Check, Kind, target_of
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.references import resolve

PROVES = ("ready", "ingress", "config", "security", "function")
REQUIRED_PROOFS = ("ready", "ingress", "config")
PHASES = ("up", "validate")
_COMMON = ("id", "component", "proves", "phase", "kind", "budget")


def _invalid(where: str, seen: str) -> ParityError:
    return ParityError("CHECKS_INVALID", f"{where}: {seen}", f"correct {where}", {"path": where})


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


def _body(where: str, kind: str, component: str, given: dict[str, Any]) -> Kind:
    cls: Any = KINDS[kind]
    # Resolved against the class's own module: annotations are strings there.
    wanted = typing.get_type_hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls)}
    if "component" in fields:
        given = {"component": component, **given}
    for key, value in given.items():
        if key not in fields:
            known = sorted(set(fields) - {"component"})
            raise _invalid(f"{where}.{key}", f"kind {kind} has no such key; it has {', '.join(known)}")
        if not _fits(value, wanted[key]):
            raise _invalid(f"{where}.{key}", f"{value!r} is not {_name(wanted[key])}")
    no_default = dataclasses.MISSING
    for name, field in fields.items():
        if name not in given and field.default is no_default and field.default_factory is no_default:
            raise _invalid(f"{where}.{name}", f"kind {kind} needs it")
    try:
        body: Kind = cls(**given)
    except ValueError as error:
        raise _invalid(where, str(error)) from error
    return body


def provided(contract: dict[str, Any], component: str) -> bool:
    """Whether the mode's surroundings do a component's job, so that nothing of it is ours to check."""
    return bool((contract.get("services", {}).get(component) or {}).get("provided_by"))


def _check(where: str, entry: object, contract: dict[str, Any]) -> Check | None:
    """One check, None when it is not for the contract's target; it must be well-formed all the same."""
    if not isinstance(entry, dict):
        raise _invalid(where, "not a mapping")
    for key in _COMMON[:-1]:
        if not isinstance(entry.get(key), str) or not entry[key]:
            raise _invalid(f"{where}.{key}", "missing, or not a string")
    choices: dict[str, Iterable[str]] = {
        "proves": PROVES,
        "phase": PHASES,
        "kind": KINDS,
        "component": [PLATFORM, *contract.get("services", {})],
    }
    for key, allowed in choices.items():
        if entry[key] not in allowed:
            raise _invalid(f"{where}.{key}", f"{entry[key]!r} is none of {', '.join(allowed)}")
    budget = entry.get("budget")
    if budget is not None and (not _fits(budget, float) or budget <= 0):
        raise _invalid(f"{where}.budget", "not a number of seconds above 0")
    # Before references are resolved: what another target has, this one's contract may lack.
    if target_of(contract) not in targets_of(entry["kind"]) or provided(contract, entry["component"]):
        return None
    try:
        given = resolve({key: value for key, value in entry.items() if key not in _COMMON}, contract)
    except ValueError as error:
        raise _invalid(where, str(error)) from error
    body = _body(where, entry["kind"], entry["component"], given)
    return Check(entry["id"], entry["component"], entry["proves"], entry["phase"], entry["kind"], body, budget)


def parse(document: object, contract: dict[str, Any], origin: str) -> list[Check]:
    """The checks of one document that are for the contract's target; ``origin`` is its file, for messages.

    Raises ParityError ``CHECKS_INVALID``, whose details hold the path of the offending entry.
    """
    if not isinstance(document, list):
        raise _invalid(origin, "not a list of checks")
    checks = [_check(f"{origin}[{index}]", entry, contract) for index, entry in enumerate(document)]
    return [check for check in checks if check is not None]


def load(paths: Iterable[Path], contract: dict[str, Any], show: Callable[[Path], str] = str) -> list[Check]:
    """The checks of several files, in order; ids are unique over all of them.

    Raises ParityError ``CHECK_MISSING`` for a file that does not exist and ``CHECKS_INVALID`` for a wrong one.
    """
    checks: list[Check] = []
    for path in paths:
        try:
            document = _yaml.load(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ParityError("CHECK_MISSING", f"{show(path)} does not exist", f"write {show(path)}") from None
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise _invalid(show(path), str(error)) from error
        checks += parse(document, contract, show(path))
    seen: set[str] = set()
    for check in checks:
        if check.id in seen:
            raise _invalid(check.id, "two checks have this id")
        seen.add(check.id)
    return checks


def require_coverage(checks: Iterable[Check], components: Iterable[str]) -> None:
    """Fail closed: every component has a ready, an ingress and a config check, and `up` waits for its readiness.

    Raises ParityError ``CHECK_MISSING`` that names every gap.
    """
    proofs: dict[str, set[str]] = {}
    for check in checks:
        proofs.setdefault(check.component, set()).add(check.proves)
        if check.phase == "up" and check.proves == "ready":
            proofs[check.component].add("ready in phase up")
    gaps = {
        name: [proof for proof in (*REQUIRED_PROOFS, "ready in phase up") if proof not in proofs.get(name, set())] for name in components
    }
    gaps = {name: missing for name, missing in gaps.items() if missing}
    if gaps:
        seen = "; ".join(f"{name} has no check that proves {', '.join(missing)}" for name, missing in gaps.items())
        raise ParityError("CHECK_MISSING", seen, details={"missing": gaps})
