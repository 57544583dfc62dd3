"""Reads how a project stands, in one transaction and at most once a second however many look."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable

from psycopg import AsyncConnection
from psycopg.rows import DictRow

from gpuaas.api.dashboard.models import EpochSeen, Fleet, Journal, Lag, Overview, SecuritySeen
from gpuaas.api.models import TimelineEntry
from gpuaas.api.platform.reader import STALE_SECONDS
from gpuaas.database import Pool
from gpuaas.encryption import epoch
from gpuaas.encryption.security import MemberKeys, SecurityMode

REMEMBERED_SECONDS = 1.0
_REMEMBERED = 256
ENTRIES = 50
_FLEET = """
    SELECT gpu_type, state, count(*) AS instances, sum(gpu_count)::int AS gpus
    FROM instances WHERE project = %s AND deleted_at IS NULL GROUP BY gpu_type, state ORDER BY gpu_type, state
"""
_OUTBOX = """
    SELECT count(*) AS waiting, coalesce(extract(epoch FROM now() - min(o.created_at)), 0)::float AS oldest_seconds
    FROM outbox AS o JOIN instances AS i ON i.id = o.instance_id WHERE o.published_at IS NULL AND i.project = %s
"""
_NOT_JOURNALLED = """
    SELECT count(*) AS waiting FROM outbox AS o JOIN instances AS i ON i.id = o.instance_id
    WHERE o.journal_number IS NULL AND i.project = %s
"""
_ENTRIES = """
    SELECT position, event_id, instance_id, project, type, time, actor, sentence, details
    FROM timeline WHERE project = %s ORDER BY position DESC LIMIT %s
"""
_EPOCH = "SELECT number, record FROM epochs WHERE project = %s ORDER BY number DESC LIMIT 1"
# A worker's report, which may be of another version: of it what is there.
_JOURNAL = """
    SELECT chain, content ->> 'behind_since' AS behind_since, extract(epoch FROM now() - reported_at)::float AS age
    FROM reports, jsonb_array_elements(content -> 'chains') AS chain
    WHERE about = 'journal' AND chain ->> 'project' = %s ORDER BY reported_at DESC LIMIT 1
"""


class OverviewReader:
    """Raises psycopg.Error."""

    def __init__(
        self,
        pool: Pool,
        mode: SecurityMode,
        member_keys: MemberKeys,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = pool
        self._security = SecuritySeen(mode=mode, member_keys=member_keys)
        self._clock = clock
        self._lock = asyncio.Lock()
        self._seen: OrderedDict[str, tuple[float, Overview]] = OrderedDict()

    async def of(self, project: str) -> Overview:
        """As of the last second."""
        async with self._lock:
            until, seen = self._seen.pop(project, (0.0, None))
            if seen is None or self._clock() >= until:
                async with self._pool.connection() as connection:
                    seen = await self._read(connection, project)
                until = self._clock() + REMEMBERED_SECONDS
            self._seen[project] = until, seen
            if len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
            return seen

    async def _read(self, connection: AsyncConnection[DictRow], project: str) -> Overview:
        # The position first: what comes between is told twice rather than never.
        first = await (await connection.execute("SELECT now(), last FROM timeline_position")).fetchone()
        outbox = await (await connection.execute(_OUTBOX, [project])).fetchone()
        newest = await (await connection.execute(_EPOCH, [project])).fetchone()
        journal = await (await connection.execute(_JOURNAL, [project])).fetchone()
        missing = await (await connection.execute(_NOT_JOURNALLED, [project])).fetchone()
        fleet = await (await connection.execute(_FLEET, [project])).fetchall()
        entries = await (await connection.execute(_ENTRIES, [project, ENTRIES])).fetchall()
        assert first is not None
        assert outbox is not None
        assert missing is not None  # an aggregate has a row
        return Overview(
            project=project,
            time=first["now"],
            security=self._security,
            fleet=[Fleet.model_validate(row) for row in fleet],
            outbox=Lag.model_validate(outbox),
            journal=_journal(journal, missing["waiting"]),
            epoch=EpochSeen(number=newest["number"], digest=epoch.digest(newest["record"])) if newest else None,
            position=first["last"],
            entries=[TimelineEntry.model_validate(row) for row in entries],
        )


def _journal(row: DictRow | None, waiting: int) -> Journal | None:
    if row is None:
        return None
    chain = row["chain"]
    return Journal(
        start=chain["start"],
        number=chain["number"],
        verified=chain["verified"],
        faults=chain["faults"],
        waiting=waiting,
        behind_since=row["behind_since"],
        age_seconds=row["age"],
        stale=row["age"] > STALE_SECONDS,
    )
