# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gates: which validations must be green before a merge and before a deploy, and that exactly these were made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Check, Context, Observation, Result, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.compare.compare import Rendered, compare
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.compare.diff import refuse_meaning, rendered
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.load import check_schema
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import Platform
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.render import render_mode
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

GATES = ("merge", "deploy")


@dataclass(frozen=True)
class Validation:
    """One entry of gates.yml: checks that run in a mode, or the equality of all modes (``mode`` is then empty)."""

    name: str
    says: str
    why: str
    before: tuple[str, ...]
    mode: str
    checks: tuple[str, ...]


@dataclass(frozen=True)
class Gates:
    """The whole file. ``ungated`` are checks that no gate demands, with the reason."""

    validations: tuple[Validation, ...]
    ungated: dict[str, str]

    def before(self, gate: str) -> list[Validation]:
        """The validations that must be green before ``merge`` or ``deploy``."""
        return [validation for validation in self.validations if gate in validation.before]


def load_gates(platform: Platform) -> Gates:
    """gates.yml of a platform. Raises ParityError ``GATE_INVALID`` also for a check that stands twice."""
    source = platform.merged("gates.yml", invalid="GATE_INVALID")
    if source is None:
        raise ParityError("GATE_INVALID", f"{platform.folder} has no gates.yml")
    check_schema(source, "gates", "GATE_INVALID", iter(()))
    data: dict[str, Any] = source.data
    found = tuple(
        Validation(
            one["name"],
            one["says"],
            one["why"],
            tuple(one["before"]),
            one.get("mode", ""),
            tuple(one.get("checks", ())),
        )
        for one in data["validations"]
    )
    ungated = {one["check"]: one["why"] for one in data["ungated"]}
    _refuse_twice("validation", [one.name for one in found])
    _refuse_twice("check", [name for one in found for name in one.checks] + [one["check"] for one in data["ungated"]])
    return Gates(found, ungated)


def _refuse_twice(what: str, names: Sequence[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ParityError("GATE_INVALID", f"gates.yml: the {what} {', '.join(twice)} stands twice")


@dataclass(frozen=True)
class EqualMeaning:
    """Every mode of a contract, rendered for one lane, means the same as the first: so they all do."""

    platform: Platform
    lane: str

    def run(self, context: Context) -> Observation:
        del context
        names = self.platform.mode_names
        if len(names) < 2:
            return failed("GATE_NOT_RUN", f"there are no two modes to compare, only {', '.join(names) or 'none'}")
        sides: list[Rendered] = []
        for name in names:
            mode = self.platform.mode(name)
            sides.append(rendered(self.platform, mode, render_mode(self.platform, mode, self.lane).tree))
        for name, side in zip(names[1:], sides[1:], strict=True):
            refuse_meaning(compare(self.platform.contract, self.platform.realm, self.lane, sides[0], side), names[0], name)
        return passed(f"{', '.join(names)} mean the same")


def pick(gates: Gates, gate: str, checks: Iterable[Check], mode: str, equal: EqualMeaning) -> list[Check]:
    """Exactly the checks that a gate demands, in the order of ``checks``, the equality of modes first.

    Raises ParityError ``GATE_WRONG_MODE`` when the run is for another mode than a validation names and
    ``GATE_UNKNOWN_CHECK`` when no check has an id.
    """
    wanted: set[str] = set()
    picked: list[Check] = []
    for validation in gates.before(gate):
        if not validation.mode:
            picked.append(Check(validation.name, "contract", "config", "validate", "equal_meaning", equal))
        elif validation.mode != mode:
            raise ParityError("GATE_WRONG_MODE", f"{validation.name} is proved in the mode {validation.mode}, and this run is for {mode}")
        wanted |= set(validation.checks)
    picked += [check for check in checks if check.id in wanted]
    unknown = sorted(wanted - {check.id for check in picked})
    if unknown:
        raise ParityError("GATE_UNKNOWN_CHECK", f"gates.yml demands {', '.join(unknown)}, which no check of the mode {mode} is")
    return picked


def made(checks: Sequence[Check], results: Sequence[Result]) -> list[Result]:
    """A result for every check that was picked: one that is missing, or never looked, has failed."""
    by_id = {result.check.id: result for result in results if result.attempts}
    return [by_id.get(check.id) or _not_made(check, "it was not made", "make parity-gate") for check in checks]


def none_made(checks: Sequence[Check], cause: ParityError) -> list[Result]:
    """The results of a gate whose checks could not begin, for one cause."""
    return [_not_made(check, f"{cause.reason}: {cause.seen}", cause.do) for check in checks]


def _not_made(check: Check, seen: str, do: str) -> Result:
    return Result(check, False, seen, "GATE_NOT_RUN", do, 0.0, 0)
