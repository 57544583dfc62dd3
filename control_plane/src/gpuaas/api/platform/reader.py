"""Reads the reports of workers, and counts what the database knows itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import DictRow
from pydantic import TypeAdapter

from gpuaas.api.platform.models import Instances, Outbox, PlatformStatus, Reported, Worker, WorkerState
from gpuaas.database import Pool
from gpuaas.relay import outbox
from gpuaas.reporting import documents

# A worker reports every five seconds: three in a row are missing.
STALE_SECONDS = 20.0
# However many look at once, the database is asked once a second.
REMEMBERED_SECONDS = 1.0
# Ages are by the database's clock, which also wrote the times.
_REPORTS = """
    SELECT about, content, reported_at, extract(epoch FROM now() - reported_at)::float AS age FROM reports ORDER BY reported_at
"""
_PUBLISHED = "SELECT count(*) AS count FROM outbox WHERE published_at > now() - interval '1 minute'"
_INSTANCES = """
    SELECT state, count(*) AS count, sum(gpu_count)::int AS gpus,
           extract(epoch FROM now() - min(created_at))::float AS oldest_seconds
    FROM instances WHERE deleted_at IS NULL GROUP BY state ORDER BY state
"""
_WORKER = TypeAdapter(documents.Worker)
_STREAMS = TypeAdapter(documents.Streams)
_DEAD_LETTERS = TypeAdapter(documents.DeadLetters)
_FLEET = TypeAdapter(documents.Fleet)
_JOURNAL = TypeAdapter(documents.Journal)


class PlatformReader:
    """Raises psycopg.Error."""

    def __init__(self, pool: Pool, clock: Callable[[], float] = time.monotonic) -> None:
        self._pool = pool
        self._clock = clock
        self._lock = asyncio.Lock()
        self._last: PlatformStatus | None = None
        self._until = float("-inf")

    async def now(self) -> PlatformStatus:
        """As of the last second."""
        async with self._lock:
            if self._last is None or self._clock() >= self._until:
                async with self._pool.connection() as connection:
                    self._last = await _read(connection)
                self._until = self._clock() + REMEMBERED_SECONDS
            return self._last

    async def of_project(self, project: str, instances: Collection[UUID]) -> set[UUID]:
        """Which of these instances a project has."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT id FROM instances WHERE id = ANY(%s) AND project = %s AND deleted_at IS NULL",
                [list(instances), project],
            )
            return {row["id"] for row in await cursor.fetchall()}


async def _read(connection: AsyncConnection[DictRow]) -> PlatformStatus:
    rows = await (await connection.execute(_REPORTS)).fetchall()
    waiting, oldest = await outbox.lag(connection)
    published = await (await connection.execute(_PUBLISHED)).fetchone()
    assert published is not None  # an aggregate has a row
    instances = await (await connection.execute(_INSTANCES)).fetchall()
    now = await (await connection.execute("SELECT now()")).fetchone()
    assert now is not None
    workers = [_worker(row) for row in rows if row["about"] == documents.WORKER]
    return PlatformStatus(
        time=now["now"],
        workers=sorted(workers, key=lambda worker: worker.report.name),
        outbox=Outbox(
            waiting=waiting,
            oldest_seconds=oldest,
            late=oldest > outbox.LATE_SECONDS,
            published_last_minute=published["count"],
        ),
        instances=[Instances(**row) for row in instances],
        streams=_newest(rows, documents.STREAMS, _STREAMS),
        dead_letters=_newest(rows, documents.DEAD_LETTERS, _DEAD_LETTERS),
        fleet=_newest(rows, documents.FLEET, _FLEET),
        journal=_newest(rows, documents.JOURNAL, _JOURNAL),
    )


def _worker(row: DictRow) -> Worker:
    common = _common(row)
    report = _WORKER.validate_python(row["content"])
    state = WorkerState.WAITING if report.missing else WorkerState.WORKING
    return Worker(**common, report=report, state=WorkerState.SILENT if common["stale"] else state)


def _newest[T](rows: list[DictRow], about: str, content: TypeAdapter[T]) -> Reported[T] | None:
    found = [row for row in rows if row["about"] == about]
    if not found:
        return None
    return Reported[Any](**_common(found[-1]), report=content.validate_python(found[-1]["content"]))


def _common(row: DictRow) -> dict[str, Any]:
    reported_at: datetime = row["reported_at"]
    return {"reported_at": reported_at, "age_seconds": row["age"], "stale": row["age"] > STALE_SECONDS}
