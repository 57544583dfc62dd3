"""Publish what the outbox holds, at least once, and each instance's events in order.

The outbox is the truth. A row is marked in the transaction that locks it, after the
server acknowledged that it has the event on its disk. A crash between the two
publishes it again under the same id, which JetStream drops for two minutes and
every consumer for ever, by the id. So may the whole outbox be, for a stream that
was wiped.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

import nats.errors
import psycopg
from nats.js import JetStreamContext

from gpuaas import tracing
from gpuaas.database import Pool
from gpuaas.messaging import streams
from gpuaas.messaging.connection import Messaging
from gpuaas.messaging.events import MESSAGE_ID
from gpuaas.messaging.streams import INSTANCES
from gpuaas.relay import outbox
from gpuaas.relay.outbox import Row
from gpuaas.reporting.rounds import Rounds, said
from gpuaas.reporting.tally import Tally

BATCH = 200
# How long a new row may wait for the relay to look.
IDLE_SECONDS = 0.1
RETRY_SECONDS = 0.5
# A stream that somebody removed is noticed within this.
LOOK_SECONDS = 5.0
# A relay whose last good round is older than this does not do its work.
STALE_SECONDS = 10.0
_EXPECTED = (psycopg.Error, nats.errors.Error, ConnectionError, TimeoutError)
_log = logging.getLogger(__name__)


class Relay:
    """Rounds of claim, publish, mark."""

    def __init__(self, pool: Pool, messaging: Messaging, clock: Callable[[], float] = time.monotonic) -> None:
        self._pool = pool
        self._messaging = messaging
        self._clock = clock
        self.published = Tally("events published")
        self._last_look = clock()
        self.rounds = Rounds(_log, "relay waits", STALE_SECONDS, clock)

    async def run(self) -> None:
        """Relay for as long as the process lives; a fault of a dependency is waited out."""
        while True:
            try:
                taken = await self.once()
            except _EXPECTED as error:
                self.rounds.failed(said(error))
                await asyncio.sleep(RETRY_SECONDS)
                continue
            self.rounds.good()
            if taken == 0:
                await asyncio.sleep(IDLE_SECONDS)

    async def once(self) -> int:
        """One round; returns how many rows it published.

        Raises psycopg.Error, nats.errors.Error and ConnectionError: of several refusals the first, after what was
        acknowledged is marked.
        """
        jetstream = self._messaging.jetstream()
        # At the start, whenever something was wrong, and now and then: a stream may go without an event that misses it.
        if self.rounds.fault() or self._clock() - self._last_look > LOOK_SECONDS:
            await self._look(jetstream)
        async with self._pool.connection() as connection:
            rows = await outbox.claim(connection, BATCH)
            if not rows:
                return 0
            answers = await asyncio.gather(*(_publish(jetstream, row) for row in rows), return_exceptions=True)
            acknowledged = [row for row, answer in zip(rows, answers, strict=True) if answer is None]
            await outbox.published(connection, [row.id for row in acknowledged])
        if acknowledged:
            self.published.add(acknowledged[-1].event.subject, len(acknowledged))
        for row, answer in zip(rows, answers, strict=True):
            if answer is not None:
                _log.warning("not published", extra={"fields": {"event_id": row.event.id, "cause": repr(answer)}})
        refused = [answer for answer in answers if answer is not None]
        if refused:
            raise refused[0]
        _log.info("published", extra={"fields": {"events": len(acknowledged)}})
        return len(acknowledged)

    async def rebuild(self) -> int:
        """Have the outbox published again, whole; returns how many events that is. Raises psycopg.Error."""
        async with self._pool.connection() as connection:
            return await outbox.unpublish(connection)

    async def _look(self, jetstream: JetStreamContext) -> None:
        if found := await streams.differences(jetstream):
            # First the rows, then the stream: whoever dies in between finds the same again.
            again = await self.rebuild() if INSTANCES.name in found else 0
            await streams.reconcile(jetstream)
            _log.info("streams reconciled", extra={"fields": {"changed": found, "published_again": again}})
        self._last_look = self._clock()


async def _publish(jetstream: JetStreamContext, row: Row) -> None:
    event = row.event
    told = {"messaging.system": "nats", tracing.INSTANCE_ID: str(event.instance_id)}
    with tracing.span(f"publish {event.type}", "producer", row.trace, told):
        headers = {**event.headers, MESSAGE_ID: row.message_id, **(tracing.carrier() or row.trace)}
        await jetstream.publish(event.subject, event.body, stream=INSTANCES.name, headers=headers)
