"""How many GPUs a project may use, and the one place where that is decided.

Whoever claims GPUs holds its project's lock until its transaction ends, so that two who come at once are counted one after
the other. An instance that is being resized counts with the larger of both numbers.
"""

from __future__ import annotations

import uuid

from psycopg import AsyncConnection
from psycopg.rows import DictRow

from gpuaas.api.models import Quota
from gpuaas.api.problems import ProblemError

# The first half of the locks' key, the second is the project's: "gpuq".
LOCK = 0x67707571
_USED = """
    SELECT coalesce(sum(greatest(gpu_count, wanted_gpu_count)), 0)::integer AS used FROM instances
    WHERE project = %(project)s AND deleted_at IS NULL AND state NOT IN ('stopped', 'failed')
      AND id IS DISTINCT FROM %(but)s
"""


async def claim(
    connection: AsyncConnection[DictRow], project: str, allowed: int, count: int, of: uuid.UUID | None = None
) -> None:
    """See that ``count`` GPUs fit, instead of those that the instance ``of`` has, until the transaction ends.

    Raises ProblemError, which says what is used and what is allowed.
    """
    await connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [LOCK, project])
    others = await used(connection, project, but=of)
    if others + count > allowed:
        now = Quota(project=project, gpus_used=await used(connection, project), gpus_allowed=allowed)
        raise ProblemError(
            403,
            "quota_exceeded",
            f"Project {project} uses {now.gpus_used} of its {allowed} GPUs, and would use {others + count}.",
            members={"quota": now.model_dump()},
        )


async def used(connection: AsyncConnection[DictRow], project: str, but: uuid.UUID | None = None) -> int:
    """How many GPUs a project uses, without those of one instance. Raises psycopg.Error."""
    row = await (await connection.execute(_USED, {"project": project, "but": but})).fetchone()
    assert row is not None  # an aggregate has a row
    return int(row["used"])
