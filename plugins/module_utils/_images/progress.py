# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sign of life while images are built: one live line on a terminal, a line per change elsewhere."""

from __future__ import annotations

from collections.abc import Callable

_CLEAR = "\r\x1b[2K"
_LINE_EVERY = 10.0  # seconds between lines that say only which step is being built


class BuildProgress:
    """``line`` writes a line; ``live`` writes without a newline, and is None where there is no terminal."""

    def __init__(self, line: Callable[[str], None], live: Callable[[str], None] | None = None, width: int = 79) -> None:
        self._line, self._live, self._width = line, live, width
        self._shown: tuple[int, str] = (-1, "")
        self._shown_at = -_LINE_EVERY

    def say(self, text: str) -> None:
        """Write what the user must read, on a line of its own."""
        self.clear()
        self._line(f"  {text}")

    def beat(self, built: int, total: int, elapsed: float, now: str) -> None:
        """Tell that ``built`` of ``total`` images are there after ``elapsed`` seconds, and which step is made ``now``."""
        text = f"  building  {built}/{total} built  {elapsed:.0f}s  {now}"
        if self._live is not None:
            self._live(_CLEAR + (text if len(text) < self._width else f"{text[: self._width - 2]}…"))
        elif now and self._due(built, now, elapsed):
            self._line(text)
            self._shown, self._shown_at = (built, now), elapsed

    def _due(self, built: int, now: str, elapsed: float) -> bool:
        # A build log keeps every line for ever: changes only.
        if built != self._shown[0]:
            return elapsed - self._shown_at >= 1
        return now != self._shown[1] and elapsed - self._shown_at >= _LINE_EVERY

    def clear(self) -> None:
        """Take the live line away, so that what follows starts on an empty one."""
        if self._live is not None:
            self._live(_CLEAR)
