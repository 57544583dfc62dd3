"""Fill the stream again from the outbox, beside the relay that runs or without one.

Everything that the outbox still holds is published once more, in order, with the ids that it has. Consumers know what they
have handled.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import nats.errors
import psycopg

from gpuaas import database
from gpuaas.messaging.connection import Messaging
from gpuaas.relay import outbox, status
from gpuaas.relay.process import NAME
from gpuaas.relay.relay import IDLE_SECONDS, Relay
from gpuaas.settings import WorkerSecrets, WorkerSettings

CONNECT_SECONDS = 5.0


def run(settings: WorkerSettings, secrets: WorkerSecrets) -> int:
    """Do it, print a line of JSON; returns the exit status. What is cut off is done by a repetition."""
    try:
        done = asyncio.run(_rebuild(settings, secrets))
    except (psycopg.Error, nats.errors.Error, OSError) as error:
        print(json.dumps({"error": f"{type(error).__name__}: {error}".strip()}))
        return 1
    print(json.dumps(done))
    return 0


async def _rebuild(settings: WorkerSettings, secrets: WorkerSecrets) -> dict[str, Any]:
    messaging = Messaging(settings, NAME)
    pool = database.create_pool(settings, secrets.database_password, size=1)
    try:
        await messaging.opened(CONNECT_SECONDS)
        async with pool:
            relay = Relay(pool, messaging)
            again = await relay.rebuild()
            async with pool.connection() as connection:
                until = await outbox.last(connection)
            # The relay that runs beside it takes its part.
            while await _waits(pool, until):
                await relay.once()
                await asyncio.sleep(IDLE_SECONDS)
        return {"published_again": again, "streams": await status.messages(messaging)}
    finally:
        await messaging.close()


async def _waits(pool: database.Pool, until: int) -> bool:
    async with pool.connection() as connection:
        return await outbox.waits(connection, until)
