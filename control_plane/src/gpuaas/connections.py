"""What a worker is connected to while it works."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gpuaas.database import Pool
from gpuaas.messaging.connection import Messaging


@asynccontextmanager
async def open_while(messaging: Messaging, pool: Pool) -> AsyncIterator[None]:
    """Begin to connect to NATS and Postgres, which need not be there yet; closed when the work ends, however that is."""
    messaging.open()
    await pool.open(wait=False)
    try:
        yield
    finally:
        await pool.close()
        await messaging.close()
