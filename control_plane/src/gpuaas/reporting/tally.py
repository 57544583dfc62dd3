"""Counts what a worker does."""

from __future__ import annotations

from datetime import UTC, datetime

from gpuaas.reporting.documents import Done


class Tally:
    """``what`` is counted, such as events published."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._count = 0
        self._last = ""
        self._last_at: datetime | None = None

    def add(self, which: str, count: int = 1) -> None:
        """It was done ``count`` times, to ``which`` last."""
        self._count += count
        self._last, self._last_at = which, datetime.now(UTC)

    def done(self) -> Done:
        """What a report says of it."""
        return Done(what=self._what, count=self._count, last=self._last, last_at=self._last_at)
