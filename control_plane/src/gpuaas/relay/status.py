"""What waits in the outbox, and whether the streams are what they should be: one line of JSON.

It opens connections of its own, with the relay's settings, password and certificate.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import nats.errors
import nats.js.errors
import psycopg

from gpuaas import database
from gpuaas.messaging import streams
from gpuaas.messaging.connection import Messaging
from gpuaas.relay import outbox
from gpuaas.relay.process import NAME
from gpuaas.settings import WorkerSecrets, WorkerSettings

CONNECT_SECONDS = 5.0


def run(settings: WorkerSettings, secrets: WorkerSecrets) -> int:
    """Print it; returns the exit status: 0 when events flow, 1 when they do not or nobody can tell."""
    try:
        seen = asyncio.run(_look(settings, secrets))
    except (psycopg.Error, nats.errors.Error, OSError, TimeoutError) as error:
        print(json.dumps({"error": f"{type(error).__name__}: {error}".strip()}))
        return 1
    print(json.dumps(seen))
    return 1 if seen["streams_differ"] or seen["oldest_seconds"] > outbox.LATE_SECONDS else 0


async def _look(settings: WorkerSettings, secrets: WorkerSecrets) -> dict[str, Any]:
    messaging = Messaging(settings, NAME)
    try:
        await messaging.opened(CONNECT_SECONDS)
        differing = await streams.differences(messaging.jetstream())
        stored = await messages(messaging)
    finally:
        await messaging.close()
    pool = database.create_pool(settings, secrets.database_password, size=1)
    async with pool, pool.connection() as connection:
        waiting, oldest = await outbox.lag(connection)
    return {"waiting": waiting, "oldest_seconds": round(oldest, 1), "streams": stored, "streams_differ": differing}


async def messages(messaging: Messaging) -> dict[str, int | None]:
    """How many messages each stream has; None: there is no such stream. Raises nats.errors.Error."""
    return {stream.name or "": await _messages(messaging, stream.name or "") for stream in streams.STREAMS}


async def _messages(messaging: Messaging, stream: str) -> int | None:
    try:
        return (await messaging.jetstream().stream_info(stream)).state.messages
    except nats.js.errors.NotFoundError:
        return None
