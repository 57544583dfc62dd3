"""How far a consumer is, and whether it is what it should be: one line of JSON, over a connection of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import nats.errors

from gpuaas.messaging import consumers
from gpuaas.messaging.connection import Messaging
from gpuaas.settings import WorkerSettings

CONNECT_SECONDS = 5.0


def run(settings: WorkerSettings, name: str, filter_subjects: Sequence[str]) -> int:
    """Print it; returns the exit status: 0 when the consumer is right, 1 when it is not or nobody can tell."""
    try:
        seen = asyncio.run(look(settings, name, filter_subjects))
    except (nats.errors.Error, OSError) as error:
        print(json.dumps({"error": f"{type(error).__name__}: {error}".strip()}))
        return 1
    print(json.dumps(seen))
    return 1 if seen["consumer_differs"] else 0


async def look(settings: WorkerSettings, name: str, filter_subjects: Sequence[str]) -> dict[str, Any]:
    """The same as a document. Raises nats.errors.Error and OSError."""
    messaging = Messaging(settings, name)
    try:
        await messaging.opened(CONNECT_SECONDS)
        jetstream = messaging.jetstream()
        differing = await consumers.differences(jetstream, consumers.config(name, filter_subjects))
        if name in differing:
            return {"waiting": None, "held": None, "consumer_differs": differing}
        info = await jetstream.consumer_info(consumers.STREAM, name)
    finally:
        await messaging.close()
    return {"waiting": info.num_pending, "held": info.num_ack_pending, "consumer_differs": differing}
