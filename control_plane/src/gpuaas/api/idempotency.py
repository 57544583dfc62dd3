"""Keys of requests that must not happen twice: the first answer is kept, and is the answer to every repetition."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import DictRow

from gpuaas.api.problems import ProblemError


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a request with a key: ``body`` is byte for byte what the first one got."""

    instance_id: uuid.UUID
    body: str
    replayed: bool


def digest(request: Mapping[str, Any]) -> str:
    """By which a request is known again: it lives for days, so what is made of the same request never changes."""
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()


async def claim(
    connection: AsyncConnection[DictRow], subject: str, key: str, request: str, instance_id: uuid.UUID, body: str = ""
) -> bool:
    """Take a key for this transaction's request; False when it was used.

    A concurrent request with the same key waits here until the first has ended. Raises psycopg.Error.
    """
    claimed = await connection.execute(
        "INSERT INTO idempotency_keys (subject, key, request_sha256, instance_id, response)"
        " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        [subject, key, request, instance_id, body],
    )
    return claimed.rowcount == 1


async def answered(connection: AsyncConnection[DictRow], subject: str, key: str, body: str) -> None:
    """Keep the answer, where it was not known when the key was claimed. Raises psycopg.Error."""
    await connection.execute(
        "UPDATE idempotency_keys SET response = %s WHERE subject = %s AND key = %s", [body, subject, key]
    )


async def replay(connection: AsyncConnection[DictRow], subject: str, key: str, request: str) -> Answer:
    """The answer that the first request got. Raises ProblemError when that was another request."""
    cursor = await connection.execute(
        "SELECT request_sha256, instance_id, response FROM idempotency_keys WHERE subject = %s AND key = %s",
        [subject, key],
    )
    first = await cursor.fetchone()
    if first is None:
        # It expired between the two statements, days after the request that used it.
        raise ProblemError(503, "unavailable", "Try again in a moment.", {"Retry-After": "1"})
    if first["request_sha256"] != request:
        raise ProblemError(409, "idempotency_conflict", "This Idempotency-Key was used for another request.")
    return Answer(first["instance_id"], first["response"], replayed=True)
