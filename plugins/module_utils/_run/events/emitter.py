# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place where an event of a run gets its time and its run, and goes to all who read it."""

from __future__ import annotations

import datetime
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.activity import SILENCE, Activity
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import VERSION, Event, fields

Record = Mapping[str, Any]
Reader = Callable[[Record], None]


def _utc() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


class Emitter:
    """The stream of one run; ``verb`` and ``mode`` are what the run does, and ``readers`` take every event in order."""

    def __init__(
        self, *, now: Callable[[], datetime.datetime] = _utc, monotonic: Callable[[], float] = time.monotonic, run: str | None = None
    ) -> None:
        self.run = run or uuid.uuid4().hex[:12]
        self.verb = self.mode = ""
        self.readers: list[Reader] = []
        self._now = now
        self._monotonic = monotonic
        self._activity = Activity(monotonic)
        self._last = monotonic()

    def __call__(self, event: Event) -> None:
        """Emit an event."""
        self.take(fields(event))

    def take(self, event: Mapping[str, Any]) -> None:
        """Emit an event that is plain data already, as it comes from a step."""
        self._last = self._monotonic()
        stamp = self._now().astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        at = {"step": self._activity.step} if self._activity.step else {}
        whose = {"version": VERSION, "time": stamp, "run": self.run, "verb": self.verb, "mode": self.mode}
        record = {**whose, "event": event["event"], **at, **event}
        self._activity.see(record)
        for reader in self.readers:
            reader(record)

    def tick(self) -> None:
        """Say that what works still works, when nothing else was said for long. To be called about once a second."""
        wait = self._activity.wait()
        if wait is not None and self._monotonic() - self._last >= SILENCE:
            self(wait)
