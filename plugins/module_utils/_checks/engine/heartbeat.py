# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sign of life while checks are awaited: one live line on a terminal, a line per change elsewhere, all in a log."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.engine import State

_CLEAR = "\r\x1b[2K"
_LIVE_EVERY = 0.2  # seconds between rewrites of the live line
_LINE_EVERY = 10.0  # seconds between lines that say only what blocks


def components(states: Sequence[State]) -> tuple[int, int]:
    """How many components have all their checks done, and how many there are."""
    names = {state.check.component for state in states}
    pending = {state.check.component for state in states if not state.last.ok}
    return len(names) - len(pending), len(names)


def blocker(states: Sequence[State]) -> str:
    """What is waited for, in a few words: the first check in order that does not hold and was looked at."""
    for state in states:
        if not state.last.ok and (state.last.reason != "CHECK_UNFINISHED" or state.done):
            return f"{state.check.component}: {' '.join(state.last.seen.split())}"
    return next((f"{state.check.component}: looking" for state in states if not state.last.ok), "")


class Heartbeat:
    """``live`` writes without a newline, ``line`` writes a line; ``live`` is None where there is no terminal.

    ``timeout`` is the budget in seconds, 0 when everything is looked at once. ``width`` is the terminal's.
    """

    def __init__(
        self,
        line: Callable[[str], None],
        live: Callable[[str], None] | None,
        timeout: float,
        log: TextIO | None = None,
        width: int = 79,
        now: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC),
    ) -> None:
        self._line, self._live, self._timeout, self._log, self._width, self._now = (line, live, timeout, log, width, now)
        self._shown_at = -1e9
        self._shown = (-1, "")
        self._logged: dict[str, str] = {}

    def __call__(self, states: Sequence[State], elapsed: float) -> None:
        """Tell what has changed; cheap enough for every turn of the engine's loop."""
        self._write_log(states)
        ready, total = components(states)
        what = blocker(states)
        budget = f" of {self._timeout:.0f}s" if self._timeout else ""
        verb = "waiting " if self._timeout else "checking"
        done = "ready" if self._timeout else "proved"
        text = f"  {verb} {ready}/{total} {done}  {elapsed:.0f}s{budget}  {what}".rstrip()
        if self._live is not None:
            if elapsed - self._shown_at >= _LIVE_EVERY:
                self._live(f"{_CLEAR}{_fit(text, self._width)}")
                self._shown_at = elapsed
        elif what and self._due(ready, what, elapsed):
            self._line(text)
            self._shown_at, self._shown = elapsed, (ready, what)

    def _due(self, ready: int, what: str, elapsed: float) -> bool:
        # A build log keeps every line for ever: nothing at first, then changes only.
        if not self._timeout or elapsed < 1:
            return False
        if ready != self._shown[0]:
            return elapsed - self._shown_at >= 1
        return what != self._shown[1] and elapsed - self._shown_at >= _LINE_EVERY

    def clear(self) -> None:
        """Take the live line away, so that what follows starts on an empty one."""
        if self._live is not None:
            self._live(_CLEAR)

    def _write_log(self, states: Sequence[State]) -> None:
        if self._log is None:
            return
        stamp = ""
        for state in states:
            word = "ok" if state.last.ok else state.last.reason
            entry = f"{state.check.id}: {word}: {state.last.seen}"
            if not state.attempts or self._logged.get(state.check.id) == entry:
                continue
            self._logged[state.check.id] = entry
            stamp = stamp or self._now().isoformat(timespec="milliseconds")
            trace = str(state.last.details.get("traceback", ""))
            self._log.write(f"{stamp} {entry}\n{trace}")
        if stamp:
            self._log.flush()


def open_log(state_dir: Path) -> TextIO:
    """The log of all probes of a run, for appending: 0600, in a 0700 directory."""
    folder = state_dir / "logs"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(folder / "probe.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    return os.fdopen(handle, "a", encoding="utf-8")


def _fit(text: str, width: int) -> str:
    return text if len(text) < width else f"{text[: width - 2]}…"
