# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gates: which validations must be green before a merge and before a deploy, and that exactly these were made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.entries import Entry, read_entries
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import (
    EVERYWHERE,
    Check,
    Context,
    Observation,
    Result,
    failed,
    passed,
    target_of,
)
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.compare.compare import Rendered, compare
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.compare.diff import refuse_meaning, rendered
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.load import check_schema, read_file
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import Platform
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.problems import Problems
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.source import Source
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.render import render_mode
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

GATES = ("merge", "deploy")
FILE = "gates.yml"
_INVALID = "GATE_INVALID"


@dataclass(frozen=True)
class Validation:
    """One entry of gates.yml: checks that run in a mode, or the equality of all modes (``mode`` is then empty).

    ``checks`` are the ids of the entries that name it in their ``gate``, of every component of the platform.
    """

    name: str
    says: str
    why: str
    before: tuple[str, ...]
    mode: str
    checks: tuple[str, ...]


@dataclass(frozen=True)
class Gates:
    """The whole file, with the checks that belong to it. ``ungated`` are the entries that no gate demands."""

    validations: tuple[Validation, ...]
    ungated: tuple[Entry, ...]

    def before(self, gate: str) -> list[Validation]:
        """The validations that must be green before ``merge`` or ``deploy``."""
        return [validation for validation in self.validations if gate in validation.before]


def load_gates(platform: Platform) -> Gates:
    """gates.yml of a platform and of those it extends, and the checks of all components that belong to it.

    A validation of an extended platform whose checks were left out with their components is left out too.

    Raises ParityError ``GATE_INVALID``: a file of the wrong shape, a check that names a validation that is not there or
    one whose mode it does not hold in, a validation of the platform's own that no check names; and as ``read_entries``.
    """
    entries = read_entries(platform, platform.components)
    source = platform.merged(FILE, invalid=_INVALID)
    said: dict[str, Any] = {}
    problems = Problems()
    if source is not None:
        check_schema(source, "gates", _INVALID, iter(()))
        said = source.data["validations"]
    targets = _targets(said, platform)
    for entry in entries:
        if entry.gate and (wrong := _misfit(entry, said, targets)):
            problems.add(_INVALID, entry.where("gate"), f"{entry.id}: {wrong}")
    problems.refuse()
    named = {name: tuple(entry.id for entry in entries if entry.gate == name) for name in said}
    empty = [name for name, one in said.items() if "mode" in one and not named[name]]
    if source is not None:
        _refuse_empty(empty, source, platform)
    validations = tuple(
        Validation(name, one["says"], one["why"], tuple(one["before"]), one.get("mode", ""), named[name])
        for name, one in said.items()
        if name not in empty
    )
    return Gates(validations, tuple(entry for entry in entries if entry.ungated))


def _targets(validations: dict[str, Any], platform: Platform) -> dict[str, str]:
    """Where what is proved in each mode runs, for those modes that there are."""
    modes = {one["mode"] for one in validations.values() if "mode" in one}
    return {mode: target_of({"target": platform.mode(mode).target}) for mode in modes if mode in platform.mode_names}


def _misfit(entry: Entry, validations: dict[str, Any], targets: dict[str, str]) -> str:
    """Why an entry cannot belong to the validation that it names; empty when it can."""
    one = validations.get(entry.gate)
    if one is None:
        return f"{FILE} has no validation {entry.gate}; it has {', '.join(validations) or 'none'}"
    if "mode" not in one:
        return f"the validation {entry.gate} is the equality of all modes; no check belongs to it"
    mode = one["mode"]
    if mode not in targets:
        return f"the validation {entry.gate} is proved in the mode {mode}, which there is not"
    if targets[mode] not in entry.targets:
        return f"the validation {entry.gate} is proved in the mode {mode}, on {targets[mode]}, which is none of the targets"
    return ""


def _refuse_empty(names: Sequence[str], source: Source, platform: Platform) -> None:
    """Refuse those validations that the platform's own file has: nothing would be proved by them."""
    own = read_file(platform.folder / FILE, platform.folder).data["validations"] if (platform.folder / FILE).is_file() else {}
    problems = Problems()
    for name in names:
        if name in own:
            problems.add(_INVALID, source.where("validations", name), f"no check names the validation {name} in its gate")
    problems.refuse()


@dataclass(frozen=True)
class EqualMeaning:
    """Every mode of a contract, rendered for one lane, means the same as the first: so they all do."""

    targets: ClassVar[frozenset[str]] = EVERYWHERE
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
            sides.append(rendered(self.platform, mode, self.lane, render_mode(self.platform, mode, self.lane).tree))
        for name, side in zip(names[1:], sides[1:], strict=True):
            refuse_meaning(compare(self.platform.contract, self.platform.realm, self.lane, sides[0], side), names[0], name)
        return passed(f"{', '.join(names)} mean the same")


def pick(gates: Gates, gate: str, checks: Iterable[Check], mode: str, equal: EqualMeaning) -> list[Check]:
    """Exactly the checks that a gate demands, in the order of ``checks``, the equality of modes first.

    Raises ParityError ``GATE_WRONG_MODE`` when the run is for another mode than a validation names.
    """
    wanted: set[str] = set()
    picked: list[Check] = []
    for validation in gates.before(gate):
        if not validation.mode:
            picked.append(Check(validation.name, "contract", "config", "validate", "equal_meaning", equal))
        elif validation.mode != mode:
            raise ParityError("GATE_WRONG_MODE", f"{validation.name} is proved in the mode {validation.mode}, and this run is for {mode}")
        wanted.add(validation.name)
    return picked + [check for check in checks if check.gate in wanted]


def made(checks: Sequence[Check], results: Sequence[Result]) -> list[Result]:
    """A result for every check that was picked: one that is missing, or never looked, has failed."""
    by_id = {result.check.id: result for result in results if result.attempts}
    return [by_id.get(check.id) or _not_made(check, "it was not made", "make parity-gate") for check in checks]


def none_made(checks: Sequence[Check], cause: ParityError) -> list[Result]:
    """The results of a gate whose checks could not begin, for one cause."""
    return [_not_made(check, f"{cause.reason}: {cause.seen}", cause.do) for check in checks]


def _not_made(check: Check, seen: str, do: str) -> Result:
    return Result(check, False, seen, "GATE_NOT_RUN", do, 0.0, 0)
