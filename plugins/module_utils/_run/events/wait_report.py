# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Report one wait: an event when something about it changes, and none while it stays as it is."""

from __future__ import annotations

from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import Emit, Wait

_EVERY = 1.0  # seconds between two events of one wait


class WaitReport:
    """The wait for ``awaited``, of at most ``budget`` seconds. `at` may be called as often as one looks."""

    def __init__(self, emit: Emit, awaited: str, budget: float | None = None) -> None:
        self._emit, self._awaited, self._budget = emit, awaited, budget or None
        self._told: tuple[str, int | None, int | None] | None = None
        self._told_at = 0.0

    def at(self, elapsed: float, blocked_by: str = "", done: int | None = None, total: int | None = None) -> None:
        """How it stands after ``elapsed`` seconds."""
        stands = (" ".join(blocked_by.split()), done, total)
        if stands == self._told or (self._told is not None and elapsed - self._told_at < _EVERY):
            return
        self._told, self._told_at = stands, elapsed
        self._emit(Wait(self._awaited, round(elapsed, 1), *stands, self._budget))
