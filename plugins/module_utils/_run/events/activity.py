# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run is at, from its events: the step that works, and what that says it waits for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import Wait

SILENCE = 29.0
"""Seconds after which a run says that it still works; who looks does so each second, and nobody waits for more than 30."""

_WAIT_FIELDS = ("awaited", "elapsed", "blocked_by", "done", "total", "budget")


class Activity:
    """Sees every event; `wait` says at any moment what is being worked on, and for how long."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._wait: Wait | None = None
        self._at = 0.0
        self.step = ""

    def see(self, record: Mapping[str, Any]) -> None:
        """Take notice of an event."""
        kind = record["event"]
        if kind == "step":
            self.step = record["step"] if record["status"] == "started" else ""
            self._set(Wait(self.step, 0.0) if self.step else None)
        elif kind == "wait":
            self._set(Wait(**{name: record[name] for name in _WAIT_FIELDS if name in record}))
        elif kind in ("log", "verdict"):
            # A log that is shown is a sign of life by itself.
            self._set(None)

    def _set(self, wait: Wait | None) -> None:
        self._wait, self._at = wait, self._monotonic()

    def wait(self) -> Wait | None:
        """What is awaited now, with the time that has passed; None when nothing works."""
        if self._wait is None:
            return None
        return replace(self._wait, elapsed=round(self._wait.elapsed + self._monotonic() - self._at, 1))
