"""Work that is in order for each key, and goes on for every other key meanwhile."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable


class Lanes[T]:
    """A lane for each key that has items; in each one item after the other is worked on, by their numbers.

    While they are closed nothing new begins, and what is put finds its place by its number.
    """

    def __init__(self, work: Callable[[T], Awaitable[None]]) -> None:
        self._work = work
        self._waiting: dict[str, list[tuple[int, int, T]]] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._order = itertools.count()  # items themselves need not compare
        self.are_open = False

    def put(self, key: str, number: int, item: T) -> None:
        """Add an item; it is begun when every smaller number of its key that is here is done."""
        heapq.heappush(self._waiting.setdefault(key, []), (number, next(self._order), item))
        self._begin(key)

    def open(self) -> None:
        """Begin what waits."""
        self.are_open = True
        for key in list(self._waiting):
            self._begin(key)

    def close(self) -> None:
        """Begin nothing more; what is worked on goes on."""
        self.are_open = False

    async def clear(self) -> None:
        """Forget what waits and cancel what is worked on."""
        self.close()
        self._waiting.clear()
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        self._running.clear()

    def check(self) -> None:
        """Raise what a piece of work raised: it is expected to raise nothing."""
        for task in self._running.values():
            if task.done():
                task.result()

    def _begin(self, key: str) -> None:
        if self.are_open and key not in self._running:
            self._running[key] = asyncio.create_task(self._lane(key))

    async def _lane(self, key: str) -> None:
        while self.are_open and self._waiting.get(key):
            _number, _order, item = heapq.heappop(self._waiting[key])
            await self._work(item)
        if not self._waiting.get(key):
            self._waiting.pop(key, None)
        del self._running[key]
