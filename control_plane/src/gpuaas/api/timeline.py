"""Timelines as the API reads them; worker ``notification`` writes them.

Positions are in the order of commits: who has seen one has seen every smaller one, so it is a cursor.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from gpuaas.api.models import TimelineEntry
from gpuaas.api.problems import ProblemError
from gpuaas.database import Pool

_COLUMNS = "position, event_id, instance_id, project, type, time, actor, sentence, details"


class TimelineReader:
    """Reads what happened."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def page(
        self, projects: Sequence[str], instance_id: uuid.UUID, limit: int, after: int
    ) -> tuple[list[TimelineEntry], int | None]:
        """Of an instance of one of ``projects``, deleted or not, the entries after ``after``; and what to pass next.

        Raises ProblemError when there is none.
        """
        async with self._pool.connection() as connection:
            there = await connection.execute(
                "SELECT FROM instances WHERE id = %s AND project = ANY(%s)", [instance_id, list(projects)]
            )
            if there.rowcount == 0:
                raise ProblemError(404, "not_found", "There is no such instance.")
            cursor = await connection.execute(
                f"SELECT {_COLUMNS} FROM timeline WHERE instance_id = %s AND position > %s ORDER BY position LIMIT %s",
                [instance_id, after, limit + 1],
            )
            rows = await cursor.fetchall()
        entries = [TimelineEntry.model_validate(row) for row in rows[:limit]]
        return entries, entries[-1].position if len(rows) > limit else None

    async def last(self) -> int:
        """The last position; everything up to it can be read. Raises psycopg.Error."""
        async with self._pool.connection() as connection:
            row = await (await connection.execute("SELECT last FROM timeline_position")).fetchone()
        return int(row["last"]) if row else 0

    async def since(self, after: int, limit: int, projects: Sequence[str] | None = None) -> list[TimelineEntry]:
        """At most ``limit`` entries after a position, of these projects or of all. Raises psycopg.Error."""
        of = "" if projects is None else "AND project = ANY(%(projects)s)"
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                f"SELECT {_COLUMNS} FROM timeline WHERE position > %(after)s {of} ORDER BY position LIMIT %(limit)s",
                {"after": after, "limit": limit, "projects": list(projects or ())},
            )
            return [TimelineEntry.model_validate(row) for row in await cursor.fetchall()]
