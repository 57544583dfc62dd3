"""How a worker's rounds go: it does its work while the last good one is not old, whether or not its process is there."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable


class Rounds:
    """``waits`` is what ``log`` is told when one fails, with its cause, and not again for the same one."""

    def __init__(
        self, log: logging.Logger, waits: str, stale_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._log = log
        self._waits = waits
        self._stale_seconds = stale_seconds
        self._clock = clock
        self._last_good = clock()
        self._fault: str | None = "no round yet"

    def good(self) -> None:
        """One went well."""
        self._last_good, self._fault = self._clock(), None

    def failed(self, cause: str) -> None:
        """One did not."""
        if cause != self._fault:
            self._log.warning(self._waits, extra={"fields": {"cause": cause}})
        self._fault = cause

    def fault(self) -> str | None:
        """What keeps the worker from its work, or None."""
        if self._fault:
            return self._fault
        idle = self._clock() - self._last_good
        return f"the last round ended {idle:.0f} s ago" if idle > self._stale_seconds else None


def said(error: Exception) -> str:
    """An error in a line."""
    return f"{type(error).__name__}: {error}".rstrip(": ")
