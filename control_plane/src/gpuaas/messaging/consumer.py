"""Everything between the stream and a handler: at least once, each instance's events in order, nothing lost.

An event is acknowledged after its handler returned. One that fails is tried again, while later ones of its instance wait
and other instances go on; when it cannot be handled it goes to the dead letters, and only then is it done with. It is
tried again here and not by the server (``nak``): the server would send later events of the instance first.

What a killed process held comes again after a while, and what is new comes at once. So nothing new begins until
everything is here that the server waits for an answer to. That holds for one process of a consumer at a time.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import nats.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from gpuaas import tracing
from gpuaas.messaging import consumers, deadletters
from gpuaas.messaging.connection import Messaging
from gpuaas.messaging.consumers import ACK_WAIT_SECONDS, MAX_ACK_PENDING, STREAM
from gpuaas.messaging.decoding import decode, instance_of
from gpuaas.messaging.events import Event
from gpuaas.messaging.lanes import Lanes
from gpuaas.messaging.poison import Poison, is_to_blame
from gpuaas.reporting.rounds import Rounds, said
from gpuaas.reporting.tally import Tally

# Until the next attempt. After the last one an event that may be to blame is given up.
DELAYS_SECONDS = (0.5, 1.0, 2.0, 4.0)
MAX_ATTEMPTS = len(DELAYS_SECONDS) + 1
# An event that processes die of comes again without having failed.
MAX_DELIVERIES = 10
HANDLER_SECONDS = 30.0
FETCH_SECONDS = 1.0
RETRY_SECONDS = 0.5
# A consumer whose last good round is older than this does not do its work.
STALE_SECONDS = 10.0
_EXPECTED = (nats.errors.Error, ConnectionError, TimeoutError)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event, its place in the stream, and how often it was tried before and now.

    A stream that was rebuilt counts from one again: who needs a lasting order has one of its own.
    """

    event: Event
    sequence: int
    attempt: int


type Handler = Callable[[Delivery], Awaitable[None]]


@dataclass(slots=True)
class _Held:
    """A message without an answer; ``message`` is its newest copy."""

    message: Msg
    identity: tuple[int, datetime]


class Consumer:
    """The durable consumer ``name`` of the stream's ``filter_subjects``, and of what is replayed to it."""

    def __init__(
        self,
        messaging: Messaging,
        name: str,
        filter_subjects: Sequence[str],
        handler: Handler,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``handler`` returns when its effect is committed, once for each event id; it raises Poison for what can never
        work and Unavailable for what is not the event's fault. Anything else is tried again, boundedly."""
        self.config = consumers.config(name, filter_subjects)
        self._handled, self._given_up = self.tallies = (Tally("events handled"), Tally("events given up"))
        self._messaging = messaging
        self._name = name
        self._handler = handler
        self._lanes = Lanes(self._settle)
        self._held: dict[tuple[int, datetime], _Held] = {}
        self._room = asyncio.Event()
        self.rounds = Rounds(_log, f"consumer {name} waits", STALE_SECONDS, clock)
        self._awaited: dict[tuple[int, datetime], str] = {}

    async def run(self) -> None:
        """Consume for as long as the process lives; a fault of a dependency is waited out."""
        going_on = asyncio.create_task(self._keep())
        try:
            while True:
                try:
                    await self._session()
                except _EXPECTED as error:
                    self.rounds.failed(said(error))
                    await asyncio.sleep(RETRY_SECONDS)
        finally:
            going_on.cancel()
            await self._lanes.clear()
            await self._give_back()

    def fault(self) -> str | None:
        """What keeps it from its work, or None: by its last good round, and by whom its handlers wait for."""
        return self.rounds.fault() or next(iter(self._awaited.values()), None)

    async def _session(self) -> None:
        """Receive over one connection, until another one takes its place. Raises what is expected."""
        jetstream, connection = self._messaging.jetstream(), self._messaging.connections
        self._lanes.close()
        if changed := await consumers.reconcile(jetstream, self.config):
            _log.info("consumer reconciled", extra={"fields": {"changed": changed}})
            if self._name in changed:
                # It is a new one and sends everything again; answers to what its predecessor sent go nowhere.
                await self._lanes.clear()
                self._held.clear()
                self._awaited.clear()
        subscription = await jetstream.pull_subscribe_bind(consumer=self._name, stream=STREAM)
        try:
            while True:
                messages = await self._fetch(subscription)
                if self._messaging.connections != connection:
                    self._lanes.close()
                for message in messages:
                    self._take(message)
                if self._messaging.connections != connection:
                    return
                if not self._lanes.are_open and await self._has_all(jetstream):
                    self._lanes.open()
                if not messages and self._lanes.are_open:
                    # An empty answer and no answer look alike.
                    await jetstream.consumer_info(STREAM, self._name)
                self.rounds.good()
                self._lanes.check()
                self._messaging.jetstream()
        finally:
            with suppress(nats.errors.Error):
                await subscription.unsubscribe()

    async def _fetch(self, subscription: JetStreamContext.PullSubscription) -> list[Msg]:
        room = MAX_ACK_PENDING - len(self._held)
        if room <= 0:
            self._room.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._room.wait(), FETCH_SECONDS)
            return []
        try:
            return await subscription.fetch(room, timeout=FETCH_SECONDS)
        except TimeoutError:  # its own, and that of asyncio
            return []

    async def _has_all(self, jetstream: JetStreamContext) -> bool:
        """Whether everything is here that the server waits for an answer to."""
        info = await jetstream.consumer_info(STREAM, self._name)
        return (info.num_ack_pending or 0) <= len(self._held)

    def _take(self, message: Msg) -> None:
        seen = message.metadata
        identity = (seen.sequence.stream, seen.timestamp)
        if held := self._held.get(identity):
            held.message = message
            return
        self._held[identity] = _Held(message, identity)
        self._lanes.put(instance_of(message.subject), seen.sequence.stream, self._held[identity])

    async def _settle(self, held: _Held) -> None:
        """Handle one message to its end: acknowledged, or among the dead letters."""
        poison, attempts = await self._attempts(held)
        if poison:
            await self._bury(held, poison, attempts)
        # A lost answer brings the message again, and its handler knows the event.
        with suppress(nats.errors.Error):
            await (held.message.term() if poison else held.message.ack())
        (self._given_up if poison else self._handled).add(held.message.subject)
        self._held.pop(held.identity, None)
        self._awaited.pop(held.identity, None)
        self._room.set()

    async def _attempts(self, held: _Held) -> tuple[Poison | None, int]:
        """Why the event cannot be handled, or None once it is; and after how many attempts that was known."""
        delivered = held.message.metadata.num_delivered
        if delivered > MAX_DELIVERIES:
            return Poison("delivered_too_often", f"{delivered} times, and no answer"), delivered
        try:
            event = decode(held.message.headers, held.message.data)
        except Poison as poison:
            return poison, 0
        failures = 0
        told = {"messaging.system": "nats", tracing.INSTANCE_ID: str(event.instance_id)}
        while True:
            try:
                async with asyncio.timeout(HANDLER_SECONDS):
                    with tracing.span(f"process {event.type}", "consumer", held.message.headers or {}, told):
                        await self._handler(Delivery(event, held.identity[0], failures + 1))
            except Poison as poison:
                return poison, failures + 1
            except Exception as error:  # noqa: BLE001  # whatever it is, its event is not lost
                cause = said(error)
                fields = {"event_id": event.id, "instance_id": event.instance_id, "cause": cause}
                if is_to_blame(error):
                    failures += 1
                    self._awaited.pop(held.identity, None)
                    _log.warning("event failed", extra={"fields": {**fields, "attempt": failures}})
                    if failures == MAX_ATTEMPTS:
                        return Poison("handler_failed", cause), failures
                elif self._awaited.get(held.identity) != cause:
                    _log.warning("event waits", extra={"fields": fields})
                    self._awaited[held.identity] = cause
                await asyncio.sleep(DELAYS_SECONDS[max(failures - 1, 0)])
            else:
                return None, failures + 1

    async def _bury(self, held: _Held, poison: Poison, attempts: int) -> None:
        fields = {"sequence": held.identity[0], "subject": held.message.subject, "attempts": attempts}
        _log.error("event given up", extra={"fields": {**fields, "reason": poison.reason, "detail": poison.detail}})
        while True:
            try:
                await deadletters.bury(self._messaging.jetstream(), self._name, held.message, poison, attempts)
            except _EXPECTED as error:
                self._awaited[held.identity] = f"dead letters: {said(error)}"
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    async def _keep(self) -> None:
        """Say of everything that is held that it goes on, so that nobody is sent it meanwhile."""
        while True:
            await asyncio.sleep(ACK_WAIT_SECONDS / 3)
            with suppress(nats.errors.Error):
                for held in list(self._held.values()):
                    await held.message.in_progress()

    async def _give_back(self) -> None:
        """In the order of the stream, so that the next process has them at once."""
        with suppress(nats.errors.Error):
            for _identity, held in sorted(self._held.items()):
                await held.message.nak()
