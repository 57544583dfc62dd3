# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run many collectors at once, each bounded in time; keep what they found and note what they could not get."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.contain import Contained

# Most collectors wait for another process; this many at once keep a small machine usable.
_AT_ONCE = 12


@dataclass(frozen=True)
class Found:
    """What was collected: texts by their path in the bundle, and (what, why) for what could not be had."""

    texts: dict[str, str]
    missed: list[tuple[str, str]]


@dataclass
class Gathering:
    """A collection under way; thread-safe. Collectors may start further collectors.

    A thread that outlives its time is left behind: it is a daemon, and what it
    still finds is no longer looked at. ``each`` and ``whole`` are seconds.
    """

    each: float = 10.0
    whole: float = 30.0
    clock: Callable[[], float] = time.monotonic
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _slots: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(_AT_ONCE))
    _texts: dict[str, str] = field(default_factory=dict)
    _missed: list[tuple[str, str]] = field(default_factory=list)
    _waiting: set[str] = field(default_factory=set)
    _running: dict[str, float] = field(default_factory=dict)
    _closed: bool = False

    def add(self, path: str, text: str) -> None:
        """Keep ``text`` under ``path`` of the bundle."""
        with self._changed:
            if not self._closed:
                self._texts[path] = text

    def miss(self, what: str, why: str) -> None:
        """Note that ``what`` could not be collected, and why."""
        with self._changed:
            if not self._closed:
                self._missed.append((what, " ".join(why.split())[:500]))

    def start(self, what: str, collect: Callable[[], None]) -> None:
        """Begin a collector under its name ``what``; whatever it raises becomes a note."""
        with self._changed:
            if self._closed:
                return
            self._waiting.add(what)
        threading.Thread(target=self._work, args=(what, collect), name=f"collect {what}", daemon=True).start()

    def text(self, path: str, produce: Callable[[], str]) -> None:
        """Begin a collector of one text, kept under ``path``."""
        self.start(path, lambda: self.add(path, produce()))

    def finish(self) -> Found:
        """Wait until all have ended or run out of time; return what there is."""
        end = self.clock() + self.whole
        with self._changed:
            while True:
                now = self.clock()
                for what in [what for what, began in self._running.items() if now - began >= self.each]:
                    del self._running[what]
                    self._missed.append((what, f"not finished after {self.each:g} s"))
                if now >= end or not (self._running or self._waiting):
                    break
                limits = [end - now, *(began + self.each - now for began in self._running.values())]
                self._changed.wait(max(0.0, min(limits)) + 0.01)
            self._missed += [(what, f"not finished when {self.whole:g} s were over") for what in [*self._running, *self._waiting]]
            self._closed = True
            return Found(dict(self._texts), sorted(self._missed))

    def _work(self, what: str, collect: Callable[[], None]) -> None:
        with self._slots:
            with self._changed:
                if self._closed:
                    return
                self._waiting.discard(what)
                self._running[what] = self.clock()
                self._changed.notify_all()
            with Contained() as outcome:
                collect()
            with self._changed:
                in_time = self._running.pop(what, None) is not None
                if outcome.why and in_time:
                    self.miss(what, outcome.why)
                self._changed.notify_all()
