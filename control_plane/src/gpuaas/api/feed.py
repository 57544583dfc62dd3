"""What is new in the timelines, for everybody who follows them: one look for all.

What was read a moment ago is kept, so followers who keep up ask the database nothing. Who comes back with an older cursor
reads what it missed first.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager

import psycopg

from gpuaas.api.models import TimelineEntry
from gpuaas.api.problems import ProblemError
from gpuaas.api.timeline import TimelineReader

LOOK_SECONDS = 0.5
KEPT = 1000
PAGE = 200
# Each follower has a connection and a task of this process.
MAX_FOLLOWERS = 100
MAX_OF_A_SUBJECT = 6
_log = logging.getLogger(__name__)


class Feed:
    """Followers, and the one who looks for them."""

    def __init__(self, reader: TimelineReader, forget: Callable[[str], Awaitable[None]]) -> None:
        """``forget`` what is cached of a project: who follows looks at once."""
        self._reader = reader
        self._forget = forget
        # Everything after ``_begins`` and up to ``_seen``; None: nobody has looked yet.
        self._recent: deque[TimelineEntry] = deque()
        self._begins: int | None = None
        self._seen = 0
        self._followers: Counter[str] = Counter()
        self._somebody = asyncio.Event()
        self._news = asyncio.Event()
        self._closed = False

    async def run(self) -> None:
        """Look for as long as somebody follows; a database that is away is waited out."""
        while True:
            await self._somebody.wait()
            try:
                if self._begins is None:
                    self._begins = self._seen = await self._reader.last()
                    self._wake()
                while await self._look():
                    pass
            except psycopg.Error as error:
                _log.warning("timelines not read", extra={"fields": {"cause": f"{type(error).__name__}: {error}"}})
            await asyncio.sleep(LOOK_SECONDS)

    def close(self) -> None:
        """End all who follow; they come back to another process."""
        self._closed = True
        self._wake()

    @contextmanager
    def following(self, subject: str) -> Iterator[None]:
        """A place among those who follow. Raises ProblemError when there is none."""
        if self._followers.total() >= MAX_FOLLOWERS:
            raise ProblemError(503, "unavailable", "Too many streams at once.", {"Retry-After": "5"})
        if self._followers[subject] >= MAX_OF_A_SUBJECT:
            raise ProblemError(429, "rate_limited", f"You have {MAX_OF_A_SUBJECT} streams open.", {"Retry-After": "5"})
        if not self._somebody.is_set():
            # Nobody looked meanwhile.
            self._recent.clear()
            self._begins, self._seen = None, 0
        self._followers[subject] += 1
        self._somebody.set()
        try:
            yield
        finally:
            self._followers[subject] -= 1
            self._followers += Counter()  # drops those that have none
            if not self._followers:
                self._somebody.clear()

    async def cursor(self, given: int | None) -> int:
        """Where to follow from: now, unless a cursor of this database is given; one that is beyond it was set back.

        Raises psycopg.Error.
        """
        last = await self._reader.last()
        return last if given is None or given > last else given

    async def follow(
        self, projects: Sequence[str], cursor: int, patience: Callable[[], float]
    ) -> AsyncGenerator[list[TimelineEntry]]:
        """The entries of these projects after a position; an empty list when there was none for ``patience()`` seconds.

        Ends when the process does. Raises psycopg.Error.
        """
        while not self._closed:
            news, seen = self._news, self._seen
            if self._begins is not None and cursor >= self._begins:
                fresh = [entry for entry in self._recent if entry.position > cursor and entry.project in projects]
                cursor = max(cursor, seen)
            else:
                fresh = await self._reader.since(cursor, PAGE, projects)
                # What is beyond the last one of a full page was not looked at.
                cursor = (
                    fresh[-1].position
                    if len(fresh) == PAGE
                    else max(cursor, seen, *(one.position for one in fresh[-1:]))
                )
            if fresh:
                yield fresh
                continue
            try:
                async with asyncio.timeout(max(0.0, patience())):
                    await news.wait()
            except TimeoutError:
                yield []

    async def _look(self) -> bool:
        """Take what is new; whether there may be more."""
        if fresh := await self._reader.since(self._seen, PAGE):
            self._recent.extend(fresh)
            self._seen = fresh[-1].position
            while len(self._recent) > KEPT:
                self._begins = self._recent.popleft().position
            for project in {entry.project for entry in fresh}:
                await self._forget(project)
            self._wake()
        return len(fresh) == PAGE

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()
