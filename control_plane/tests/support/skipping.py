"""An event loop in which no time is waited for: when everybody waits, the clock goes on to the first who waits no longer."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any


class _Skipping(selectors.DefaultSelector):
    """Asked to wait, it only looks, and says that the time has passed."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            return super().select()
        self.now += max(timeout, 0.0)
        return super().select(0)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._skipping = _Skipping()
        super().__init__(self._skipping)

    def time(self) -> float:
        return self._skipping.now


def run[T](main: Coroutine[Any, Any, T]) -> T:
    """What ``main`` returns. For what waits for nobody outside: an answer of a server would come too late."""
    return asyncio.run(main, loop_factory=_Loop)
