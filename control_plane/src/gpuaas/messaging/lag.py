"""How far a consumer is behind, as it says itself."""

from __future__ import annotations

import nats.errors

from gpuaas.messaging.connection import Messaging
from gpuaas.messaging.consumers import STREAM
from gpuaas.reporting.documents import Lag


async def lag(messaging: Messaging, name: str) -> Lag | None:
    """None while nobody can tell."""
    try:
        info = await messaging.jetstream().consumer_info(STREAM, name)
    except (nats.errors.Error, ConnectionError, TimeoutError):
        return None
    return Lag(waiting=info.num_pending or 0, held=info.num_ack_pending or 0)
