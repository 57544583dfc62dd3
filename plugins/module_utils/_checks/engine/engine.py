# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs checks concurrently, once or until a deadline, and keeps the last thing that each of them saw.

The loop is a table: one state for each check, one tick for all. In a tick every unfinished check
that is not still at work looks once, over one shared snapshot of the cluster. Time is monotonic
and injected, so the loop is tested without waiting.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Check, Context, Observation, Result, failed
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._reasons import REASONS

# A look that takes longer than this is a failure by itself when everything runs only once, in seconds.
# The longest honest look is the expired-token check, bounded at 15 s.
SINGLE_LOOK = 60.0
_THREADS = 24  # they wait for the network nearly all the time


def interval(elapsed: float) -> float:
    """Seconds between ticks. At first everything starts and could use what a tick costs; then most becomes ready; calmer later."""
    return 0.5 if elapsed < 8 else 0.25 if elapsed < 20 else 0.5 if elapsed < 45 else 1.0


@dataclass
class State:
    """One check on its way: ``since`` is when a hopeless observation was first made."""

    check: Check
    last: Observation = field(default_factory=lambda: failed("CHECK_UNFINISHED", "not looked at yet"))
    attempts: int = 0
    finished_at: float | None = None
    gave_up: bool = False
    timed_out: bool = False
    since: float | None = None
    future: Future[Observation] | None = None

    @property
    def done(self) -> bool:
        return self.finished_at is not None


Progress = Callable[[Sequence[State], float], None]


def seen(future: Future[Observation]) -> Observation:
    """What a look came to; whatever it raised is a failed observation, never a skipped check."""
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, ParityError):
        return failed(error.reason, error.seen, advice=error.do)
    trace = "".join(traceback.format_exception(error))
    return failed("CHECK_ERROR", f"{type(error).__name__}: {error}", traceback=trace)


class Engine:
    """``context`` makes the context of a tick, with a fresh snapshot; ``progress`` is told after each tick.

    ``pause`` waits at most the given seconds, or until one of the futures is done.
    """

    def __init__(
        self,
        context: Callable[[], Context],
        clock: Callable[[], float],
        progress: Progress,
        executor: Executor | None = None,
        pause: Callable[[Sequence[Future[Observation]], float], None] | None = None,
    ) -> None:
        self._context = context
        self._clock = clock
        self._progress = progress
        self._executor = executor
        self._pause = pause or _wait

    def run(self, checks: Sequence[Check], timeout: float) -> list[Result]:
        """Look until all checks hold, one is hopeless, or ``timeout`` seconds have passed; 0 looks once.

        The results are in the order of the checks. A check's own budget can end it earlier than the timeout.
        """
        states = [State(check) for check in checks]
        executor = self._executor or ThreadPoolExecutor(_THREADS, thread_name_prefix="probe")
        started = self._clock()
        try:
            self._loop(states, executor, started, timeout)
        finally:
            if executor is not self._executor:
                executor.shutdown(wait=False, cancel_futures=True)
        ended = self._clock()
        self._progress(states, ended - started)
        return [_result(state, started, ended, timeout) for state in states]

    def _loop(self, states: list[State], executor: Executor, started: float, timeout: float) -> None:
        next_tick = started
        while True:
            now = self._clock()
            if now >= next_tick:
                self._start(states, executor, once=not timeout)
                next_tick = now + interval(now - started)
            self._collect(states, started, timeout)
            now = self._clock()
            self._progress(states, now - started)
            if all(state.done for state in states) or any(state.gave_up for state in states if timeout):
                return
            end = started + (timeout or SINGLE_LOOK)
            if now >= end:
                for state in states:
                    if not state.done:
                        state.timed_out = True
                return
            futures = [state.future for state in states if state.future and not state.done]
            self._pause(futures, max(0.0, min(next_tick, end) - now))

    def _start(self, states: list[State], executor: Executor, once: bool) -> None:
        idle = [state for state in states if not state.done and state.future is None and not (once and state.attempts)]
        if idle:
            context = self._context()
            for state in idle:
                state.attempts += 1
                state.future = executor.submit(state.check.body.run, context)

    def _collect(self, states: list[State], started: float, timeout: float) -> None:
        now = self._clock()
        for state in states:
            if state.future is not None and state.future.done():
                self._judge(state, seen(state.future), now, once=not timeout)
                state.future = None
            budget = state.check.budget
            if timeout and not state.done and budget is not None and now - started >= budget:
                state.finished_at, state.timed_out, state.gave_up = now, True, True

    def _judge(self, state: State, found: Observation, now: float, once: bool) -> None:
        same = state.last.reason == found.reason and state.last.grace is not None
        state.last = found
        if found.ok or once:
            state.finished_at = now
        elif found.grace is None:
            state.since = None
        else:
            state.since = state.since if same and state.since is not None else now
            if now - state.since >= found.grace:
                state.finished_at, state.gave_up = now, True


def _wait(futures: Sequence[Future[Observation]], seconds: float) -> None:
    if futures:
        wait(futures, timeout=seconds, return_when=FIRST_COMPLETED)
    else:
        time.sleep(seconds)


def _result(state: State, started: float, ended: float, timeout: float) -> Result:
    seconds = (ended if state.finished_at is None else state.finished_at) - started
    last = state.last
    reason, text, details = last.reason, last.seen, dict(last.details)
    do = str(details.pop("advice", ""))
    if last.ok:
        reason = do = ""
    elif state.timed_out:
        budget = min(timeout or SINGLE_LOOK, state.check.budget or float("inf"))
        details["cause"] = last.reason
        text = f"not {state.check.proves} after {budget:g} s; last seen: {last.seen}"
        reason, do = "READY_TIMEOUT", ""
    elif not state.done:
        details["cause"] = last.reason
        reason, do = "CHECK_UNFINISHED", ""
    if not last.ok:
        do = do or REASONS[reason].do
    return Result(state.check, last.ok, text, reason, do, seconds, state.attempts, details)
