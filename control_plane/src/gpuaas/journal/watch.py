"""Verifies every chain for as long as the worker lives: whole when it starts and once an hour, else what is new, and each time
the newest entry, so that a journal that lost its newest ones is noticed within seconds."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import psycopg

from gpuaas.database import Pool
from gpuaas.journal import outbox
from gpuaas.journal.chain import GENESIS, Pin
from gpuaas.journal.feeder import said
from gpuaas.journal.journal import Journal
from gpuaas.journal.outbox import Chain
from gpuaas.journal.reasons import AWAY, JournalError
from gpuaas.journal.verification import Verdict, Verification, unreadable

EVERY_SECONDS = 10.0
WHOLE_SECONDS = 3600.0
# Of a chain in one go; the others have their turn meanwhile.
PAGES = 20
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Watched:
    """``verdict`` is that of the last time a reader came to the end; ``reading`` is one that has not."""

    start: Pin
    number: int = 0
    reading: Verification | None = None
    head: Pin = GENESIS
    verdict: Verdict | None = None
    whole_at: float = float("-inf")

    @property
    def faults(self) -> list[str]:
        return [str(finding) for finding in self.verdict.findings] if self.verdict else []


class Watch:
    """What is known of each chain, by project."""

    def __init__(self, pool: Pool, journal: Journal, clock: Callable[[], float] = time.monotonic) -> None:
        self._pool = pool
        self._journal = journal
        self._clock = clock
        self.chains: dict[str, Watched] = {}

    async def run(self) -> None:
        """A store that is away is the feeder's to tell."""
        while True:
            try:
                await self.once()
            except (psycopg.Error, JournalError) as error:
                _log.debug("not verified", extra={"fields": {"cause": said(error)}})
            await asyncio.sleep(EVERY_SECONDS)

    async def once(self) -> None:
        """A piece of each chain. Raises psycopg.Error and JournalError."""
        async with self._pool.connection() as connection:
            chains = await outbox.chains(connection)
        # A database that was set back knows other chains, or less of them.
        self.chains = {project: its for project, its in self.chains.items() if project in chains}
        for project, chain in chains.items():
            watched = self.chains.get(project)
            if watched is None or watched.start != chain.start or watched.number > chain.head.number:
                watched = self.chains[project] = Watched(chain.start)
            watched.number = chain.head.number
            before = watched.faults
            try:
                await asyncio.to_thread(self._read, chain, watched)
            except JournalError as error:
                if error.reason in AWAY:
                    raise
                watched.verdict, watched.reading = unreadable(chain.start, error), None
            if watched.faults and watched.faults != before:
                _log.error("a chain does not hold", extra={"fields": {"project": project, "findings": watched.faults}})

    def fault(self) -> str | None:
        """What is wrong with a chain, or None."""
        return next((fault for watched in self.chains.values() for fault in watched.faults), None)

    def _read(self, chain: Chain, watched: Watched) -> None:
        if watched.reading is None:
            whole = watched.verdict is None or bool(watched.verdict.findings) or self._clock() >= watched.whole_at
            if whole:
                watched.whole_at = self._clock() + WHOLE_SECONDS
            start = chain.start if watched.verdict is None or whole else watched.verdict.resume
            watched.reading, watched.head = Verification(chain.project, start), chain.head
        for _page in range(PAGES):
            entries = self._journal.page(chain.project, watched.reading.number)
            if not entries:
                watched.verdict, watched.reading = watched.reading.end(watched.head), None
                return
            watched.reading.read(entries, watched.head.number)
