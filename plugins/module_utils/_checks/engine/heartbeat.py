# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell a run how its checks stand: an event for the wait when it changes, one for each check when its verdict is known."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.causes import by_cause
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.engine import State
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Result
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import Check, Emit
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.wait_report import WaitReport


def components(states: Sequence[State]) -> tuple[int, int]:
    """How many components have all their checks done, and how many there are."""
    names = {state.check.component for state in states}
    pending = {state.check.component for state in states if not state.last.ok}
    return len(names) - len(pending), len(names)


def blocker(states: Sequence[State]) -> str:
    """What is waited for, in a few words: of the checks that do not hold and were looked at, the first by cause."""
    missing = [state for state in states if not state.last.ok]
    seen = [state for state in missing if state.last.reason != "CHECK_UNFINISHED" or state.done]
    if seen:
        key = by_cause(state.check for state in seen)
        first = min(seen, key=lambda state: key(state.check))
        return f"{first.check.component}: {' '.join(first.last.seen.split())}"
    return next((f"{state.check.component}: looking" for state in missing), "")


class Heartbeat:
    """``timeout`` is the budget of the wait in seconds, 0 when everything is looked at once."""

    def __init__(self, emit: Emit, timeout: float) -> None:
        self._emit = emit
        self._wait = WaitReport(emit, "components", timeout)
        self._told: set[str] = set()

    def __call__(self, states: Sequence[State], elapsed: float) -> None:
        """Tell what has changed; cheap enough for every turn of the engine's loop."""
        for state in states:
            if state.done and state.last.ok and state.check.id not in self._told:
                self._told.add(state.check.id)
                check = state.check
                self._emit(Check(check.id, check.component, check.proves, "ok", round(elapsed, 3), state.attempts))
        self._wait.at(elapsed, blocker(states), *components(states))

    def end(self, results: Sequence[Result]) -> None:
        """Tell the verdict of every check that has not been told yet."""
        for result in results:
            if result.check.id not in self._told:
                self._emit(verdict_of(result))


def verdict_of(result: Result) -> Check:
    """The event of a check's result."""
    check = result.check
    why = {} if result.ok else {"reason": result.reason, "seen": result.seen, "do": result.do}
    verdict = "ok" if result.ok else "failed"
    return Check(check.id, check.component, check.proves, verdict, round(result.seconds, 3), result.attempts, **why)
