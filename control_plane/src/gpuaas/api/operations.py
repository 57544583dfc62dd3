"""What is done with an instance that is there: it is stopped, started, resized.

The change of its state, the event, the answer to the key and what the quota says of it are one transaction. A workflow
carries it out; each operation has a number, and one of before changes nothing any more.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import LiteralString

from psycopg import AsyncConnection
from psycopg.rows import DictRow

from gpuaas import effects
from gpuaas.api import idempotency, quota
from gpuaas.api.idempotency import Answer
from gpuaas.api.models import Instance
from gpuaas.api.problems import ProblemError
from gpuaas.api.store import COLUMNS, instance_of, told
from gpuaas.database import Pool

_BEGIN = (
    "UPDATE instances SET state = %s, wanted_gpu_count = %s, reason = NULL, operation = operation + 1 WHERE id = %s"
    f" RETURNING operation, {COLUMNS}"
)
_RESIZE_STOPPED = f"UPDATE instances SET gpu_count = %s, reason = NULL WHERE id = %s RETURNING operation, {COLUMNS}"


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, with which key, and the projects that are theirs."""

    subject: str
    key: str
    projects: tuple[str, ...]


class Operations:
    """Each raises ProblemError: no such instance, a state from which it cannot be done, a quota, a key that was used."""

    def __init__(self, pool: Pool, gpus_allowed: int) -> None:
        self._pool = pool
        self._gpus_allowed = gpus_allowed

    async def stop(self, who: Asker, identity: uuid.UUID) -> Answer:
        """Stop a running instance: its GPUs are given back."""
        async with self._pool.connection() as connection:
            request = idempotency.digest({"stop": str(identity)})
            if before := await _before(connection, who, identity, request):
                return before
            await _locked(connection, identity, ("running",), "stopped")
            return await _done(connection, who, "instance.stopping", _BEGIN, ["stopping", None, identity])

    async def start(self, who: Asker, identity: uuid.UUID) -> Answer:
        """Start a stopped instance, with other GPUs than it had."""
        async with self._pool.connection() as connection:
            request = idempotency.digest({"start": str(identity)})
            if before := await _before(connection, who, identity, request):
                return before
            its = await _locked(connection, identity, ("stopped",), "started")
            await quota.claim(connection, its.project, self._gpus_allowed, its.gpu_count)
            return await _done(connection, who, "instance.starting", _BEGIN, ["starting", None, identity])

    async def resize(self, who: Asker, identity: uuid.UUID, gpu_count: int) -> Answer:
        """Give an instance another number of GPUs: other ones when it runs, and from its next start when it is stopped."""
        async with self._pool.connection() as connection:
            request = idempotency.digest({"resize": str(identity), "gpu_count": gpu_count})
            if before := await _before(connection, who, identity, request):
                return before
            its = await _locked(connection, identity, ("running", "stopped"), "resized")
            if gpu_count == its.gpu_count:
                return await _answer(connection, who, its)
            if its.state == "stopped":
                return await _done(connection, who, "instance.resized", _RESIZE_STOPPED, [gpu_count, identity])
            if gpu_count > its.gpu_count:
                await quota.claim(connection, its.project, self._gpus_allowed, gpu_count, of=identity)
            return await _done(connection, who, "instance.resizing", _BEGIN, ["resizing", gpu_count, identity])


async def _before(connection: AsyncConnection[DictRow], who: Asker, identity: uuid.UUID, request: str) -> Answer | None:
    """The answer of before, where the key was used."""
    there = await connection.execute(
        "SELECT FROM instances WHERE id = %s AND project = ANY(%s)", [identity, list(who.projects)]
    )
    if there.rowcount == 0:
        raise ProblemError(404, "not_found", "There is no such instance.")
    if await idempotency.claim(connection, who.subject, who.key, request, identity):
        return None
    return await idempotency.replay(connection, who.subject, who.key, request)


async def _locked(
    connection: AsyncConnection[DictRow], identity: uuid.UUID, states: tuple[str, ...], done: str
) -> Instance:
    """The instance, which nobody else changes until the transaction ends."""
    cursor = await connection.execute(
        f"SELECT {COLUMNS} FROM instances WHERE id = %s AND deleted_at IS NULL FOR NO KEY UPDATE", [identity]
    )
    its = instance_of(await cursor.fetchone())
    if its.state not in states:
        only = " or ".join(states)
        raise ProblemError(409, "wrong_state", f"The instance is {its.state}; only one that is {only} can be {done}.")
    return its


async def _done(
    connection: AsyncConnection[DictRow], who: Asker, event: str, statement: LiteralString, values: list[object]
) -> Answer:
    row = await (await connection.execute(statement, values)).fetchone()
    its = instance_of(row)
    assert row is not None  # it is locked
    told_of = {**told(its, who.subject), "operation": row["operation"]}
    await effects.emit(connection, event, its.id, told_of)
    return await _answer(connection, who, its)


async def _answer(connection: AsyncConnection[DictRow], who: Asker, its: Instance) -> Answer:
    body = its.model_dump_json()
    await idempotency.answered(connection, who.subject, who.key, body)
    return Answer(its.id, body, replayed=False)
