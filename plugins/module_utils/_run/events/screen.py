# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show a run to a person: on a terminal with one live line, elsewhere with few lines that stay."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.activity import SILENCE, Activity
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.emitter import Record
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import Wait
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.words import line, working

# Of ECMA-48: erase the line of the cursor and all below; then one line up, to its beginning.
_CLEAR, _BACK = "\r\x1b[J", "\x1b[A\r"
_LIVE_EVERY = 0.2  # seconds between two drawings of the live line
# A log keeps every line for ever: seconds between two lines that say how a wait stands ...
_COUNT_EVERY = 5.0  # ... when more of it is there
_BLOCKER_EVERY = 10.0  # ... when only what blocks it is another
# In turn, so that neighbours can be told apart; no red, which means failure elsewhere.
_COLOURS = ("cyan", "green", "yellow", "blue", "magenta", "white")


class Write(Protocol):
    """Writes a line; ``tone`` is one of `words.Line`, or a colour."""

    def __call__(self, text: str, tone: str = "") -> None:
        """Write it."""


class Screen:
    """Reads every event. ``live`` writes without ending the line, and is None where there is no terminal.

    ``width`` is the terminal's, ``everything`` has a line for every step.
    """

    def __init__(
        self,
        write: Write,
        live: Callable[[str], None] | None = None,
        *,
        width: Callable[[], int] = lambda: 79,
        everything: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write, self._live, self._width, self._everything, self._monotonic = write, live, width, everything, monotonic
        self._activity = Activity(monotonic)
        self._spoke = monotonic()
        self._drawn = float("-inf")
        self._shown: Wait | None = None
        self._shown_at = float("-inf")
        self._components: list[str] = []

    def __call__(self, record: Record) -> None:
        """Show an event, if there is something to show of it."""
        self._activity.see(record)
        kind = record["event"]
        if kind == "step":
            self._shown, self._shown_at, self._drawn = None, self._monotonic(), float("-inf")
        if kind == "log":
            self._say_log(str(record["component"]), str(record["text"]))
            return
        told = line(record, self._everything)
        if told is not None:
            self.say(told.text, told.tone)
        self.tick()

    def say(self, text: str, tone: str = "") -> None:
        """Write a line for good."""
        if self._live is not None:
            self._live(_CLEAR)
        self._write(text, tone)
        self._spoke, self._drawn = self._monotonic(), float("-inf")

    def tick(self) -> None:
        """Show what is being worked on, if it is time to. To be called about once a second."""
        wait = self._activity.wait()
        if wait is None:
            return
        text = working(wait, self._activity.step)
        if self._live is not None:
            self._draw(text)
        elif self._due(wait):
            self.say(text)
            self._shown, self._shown_at = wait, self._spoke

    def close(self) -> None:
        """Leave an empty line."""
        if self._live is not None:
            self._live(_CLEAR)

    def _draw(self, text: str) -> None:
        if self._live is not None and self._monotonic() - self._drawn >= _LIVE_EVERY:
            # Below the cursor, which stays on an empty line: there a warning of Ansible's stands by itself.
            self._live(f"{_CLEAR}\n{_fit(text, self._width())}{_BACK}")
            self._drawn = self._monotonic()

    def _due(self, wait: Wait) -> bool:
        now = self._monotonic()
        if now - self._spoke >= SILENCE:
            return True
        if wait.awaited == self._activity.step:
            return False
        shown = self._shown
        if shown is None or (shown.awaited, shown.done) != (wait.awaited, wait.done):
            return now - self._shown_at >= _COUNT_EVERY
        return shown.blocked_by != wait.blocked_by and now - self._shown_at >= _BLOCKER_EVERY

    def _say_log(self, component: str, text: str) -> None:
        if component not in self._components:
            self._components.append(component)
        width = max(8, *map(len, self._components))
        self.say(f"{component:<{width}} | {text}", _COLOURS[self._components.index(component) % len(_COLOURS)])


def _fit(text: str, width: int) -> str:
    return text if len(text) < width else f"{text[: width - 2]}…"
