"""Writes reports for as long as a worker lives. A worker never waits for them, and never ends because of one."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

from gpuaas import __version__
from gpuaas.database import Pool
from gpuaas.probes import Check
from gpuaas.reporting import documents
from gpuaas.reporting.documents import Document, Lag, Worker, as_json
from gpuaas.reporting.tally import Tally

EVERY_SECONDS = 5.0
# Of a report: whoever is asked for it may hang, and the next one is due.
LOOK_SECONDS = 15.0
_WRITE = """
    INSERT INTO reports (about, content) VALUES (%s, %s)
    ON CONFLICT (about, role) DO UPDATE SET content = EXCLUDED.content, reported_at = now()
"""
_log = logging.getLogger(__name__)

type Look = Callable[[], Awaitable[Document]]


class Reporter:
    """Reports of one worker: of itself, and of what else it sees."""

    def __init__(self, pool: Pool, worker: Look, others: Mapping[str, Look] | None = None) -> None:
        """``others`` by what they are about, see ``documents``."""
        self._pool = pool
        self._looks = {documents.WORKER: worker, **(others or {})}
        self._faults: dict[str, str] = {}

    @asynccontextmanager
    async def beside(self) -> AsyncIterator[None]:
        """Report while the body runs."""
        # Each by itself: a worker is heard of also while what it looks at does not answer.
        tasks = [asyncio.create_task(self._repeat(about)) for about in self._looks]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def once(self, about: str) -> None:
        """Look, and write it down. Raises what looking raises, and psycopg.Error."""
        async with asyncio.timeout(LOOK_SECONDS):
            content = as_json(await self._looks[about]())
            async with self._pool.connection() as connection:
                # A report that a power cut takes is written again in seconds: nobody waits for the disk.
                await connection.execute("SET LOCAL synchronous_commit = off")
                await connection.execute(_WRITE, [about, content])

    async def _repeat(self, about: str) -> None:
        while True:
            try:
                await self.once(about)
                self._faults.pop(about, None)
            except Exception as error:  # noqa: BLE001  # whatever it is, the work goes on; the report's age shows it
                said = f"{type(error).__name__}: {error}".rstrip(": ")
                if self._faults.get(about) != said:
                    _log.warning("not reported", extra={"fields": {"about": about, "cause": said}})
                self._faults[about] = said
            await asyncio.sleep(EVERY_SECONDS)


def of_worker(
    name: str,
    checks: Mapping[str, Check],
    tallies: Sequence[Tally],
    lag: Callable[[], Awaitable[Lag | None]] | None = None,
) -> Look:
    """What a worker says of itself: ``checks`` are those of its readiness."""
    started_at = datetime.now(UTC)

    async def look() -> Worker:
        asked = [(what, await check()) for what, check in checks.items()]
        return Worker(
            name=name,
            version=__version__,
            process=socket.gethostname(),
            started_at=started_at,
            missing={what: fault for what, fault in asked if fault},
            done=[tally.done() for tally in tallies],
            lag=await lag() if lag else None,
        )

    return look
