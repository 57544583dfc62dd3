"""Streams as a test sees them: as who may do everything, and as a consumer with its own rights."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from nats.js.api import ConsumerInfo, RawStreamMsg
from nats.js.errors import NotFoundError

from gpuaas.messaging import consumers, streams
from gpuaas.messaging.connection import Messaging
from gpuaas.messaging.consumer import Consumer, Handler
from gpuaas.messaging.events import Event

WAIT_SECONDS = 60


def event(identity: uuid.UUID, kind: str = "instance.requested", /, **data: Any) -> Event:
    return Event(uuid.uuid4(), kind, identity, datetime.now(UTC), data)


@asynccontextmanager
async def connected(messaging: Messaging) -> AsyncIterator[Messaging]:
    await messaging.opened(10)
    try:
        yield messaging
    finally:
        await messaging.close()


async def until(ready: Callable[[], bool], what: str) -> None:
    """Look until it is so."""
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            while not ready():
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"{what} took longer than {WAIT_SECONDS} s") from None


async def publish(messaging: Messaging, *events: Event) -> None:
    for each in events:
        await messaging.jetstream().publish(each.subject, each.body, headers=dict(each.headers))


async def stored(messaging: Messaging, stream: str) -> list[RawStreamMsg]:
    """Every message of a stream, in order."""
    jetstream = messaging.jetstream()
    state = (await jetstream.stream_info(stream)).state
    return [await jetstream.get_msg(stream, n) for n in range(state.first_seq, state.last_seq + 1) if state.messages]


async def settled(messaging: Messaging, name: str) -> None:
    """Wait until a consumer has answered everything and asks for more: one that is being made seems to have nothing."""
    await _seen(
        messaging, name, lambda info: bool(info.num_waiting) and not info.num_pending and not info.num_ack_pending
    )


async def held(messaging: Messaging, name: str, count: int) -> None:
    """Wait until a consumer holds so many events, and no more wait for it."""
    await _seen(
        messaging, name, lambda info: bool(info.num_waiting) and not info.num_pending and info.num_ack_pending == count
    )


async def _seen(messaging: Messaging, name: str, ready: Callable[[ConsumerInfo], bool]) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            with contextlib.suppress(NotFoundError):
                if ready(await messaging.jetstream().consumer_info(consumers.STREAM, name)):
                    return
            await asyncio.sleep(0.01)


@asynccontextmanager
async def consuming(
    messaging: Messaging, name: str, filters: Sequence[str], handler: Handler
) -> AsyncIterator[Consumer]:
    """A consumer that runs over a connection of its own."""
    async with connected(messaging), running(Consumer(messaging, name, filters, handler)) as consumer:
        yield consumer


@asynccontextmanager
async def running(consumer: Consumer) -> AsyncIterator[Consumer]:
    task = asyncio.create_task(consumer.run())
    try:
        yield consumer
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def made(messaging: Messaging) -> None:
    """The streams, as the relay makes them."""
    await streams.reconcile(messaging.jetstream())


async def forget(messaging: Messaging) -> None:
    """Replace the stream of events by an empty one, as when the disk of a server is gone."""
    await messaging.jetstream().delete_stream(consumers.STREAM)
    await messaging.jetstream().add_stream(streams.INSTANCES)


def raw(instance: uuid.UUID, **changes: str) -> dict[str, str]:
    """The headers of an event, changed; empty takes one away."""
    names = {name.replace("-", "_").lower(): name for name in event(instance).headers}
    headers = dict(event(instance).headers)
    for key, value in changes.items():
        headers[names[key]] = value
    return {name: value for name, value in headers.items() if value}


BODY = json.dumps({"actor": "alice"}).encode()
