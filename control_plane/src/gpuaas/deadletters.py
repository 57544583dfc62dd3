"""Looks at what consumers gave up, and sends it to them once more.

A replay goes to the consumer that gave the message up and to no other, with the headers and the body that it had, so with
the id of its event: one that was handled after all has no second effect. The letter goes once the replay is stored.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import nats.errors
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError

from gpuaas.messaging import deadletters
from gpuaas.messaging.connection import Messaging
from gpuaas.messaging.consumers import STREAM
from gpuaas.messaging.decoding import instance_of
from gpuaas.messaging.streams import DEADLETTERS, replays
from gpuaas.relay.process import NAME
from gpuaas.settings import WorkerSettings

CONNECT_SECONDS = 5.0
_NAME = DEADLETTERS.name or ""


class NoSuchLetterError(Exception):
    """There is none of that id; it may have been replayed."""


def run(settings: WorkerSettings, replay: str | None) -> int:
    """Print each letter as a line of JSON, or those that were replayed: one by its id, or ``all``.

    Returns the exit status.
    """
    try:
        asyncio.run(_run(settings, replay))
    except NoSuchLetterError:
        print(json.dumps({"error": f"there is no dead letter {replay}"}))
        return 1
    except (nats.errors.Error, OSError) as error:
        print(json.dumps({"error": f"{type(error).__name__}: {error}".strip()}))
        return 1
    return 0


async def _run(settings: WorkerSettings, replay: str | None) -> None:
    messaging = Messaging(settings, NAME)
    try:
        await messaging.opened(CONNECT_SECONDS)
        jetstream = messaging.jetstream()
        found = False
        async for letter in _letters(jetstream):
            if replay is not None and replay not in ("all", str(letter.seq)):
                continue
            found = True
            if replay is not None:
                await _replay(jetstream, letter)
            print(json.dumps(_described(letter, replayed=replay is not None)))
        if replay not in (None, "all") and not found:
            raise NoSuchLetterError
    finally:
        await messaging.close()


async def _letters(jetstream: JetStreamContext) -> AsyncIterator[RawStreamMsg]:
    """Every letter that is there now, oldest first; a replay that fails adds another one, which is not among them."""
    try:
        last = (await jetstream.stream_info(_NAME)).state.last_seq
        after = 0
        while after < last:
            letter = await jetstream.get_msg(_NAME, seq=after + 1, subject="deadletters.>", next=True)
            after = letter.seq or last
            if after <= last:
                yield letter
    except NotFoundError:
        return


async def _replay(jetstream: JetStreamContext, letter: RawStreamMsg) -> None:
    headers = letter.headers or {}
    consumer = headers[deadletters.CONSUMER]
    # Nobody would read it.
    await jetstream.consumer_info(STREAM, consumer)
    subject = replays(consumer, instance_of(letter.subject or ""))
    sent = {**deadletters.original(headers), "Nats-Msg-Id": f"replay:{letter.seq}:{headers['Nats-Msg-Id']}"}
    await jetstream.publish(subject, letter.data or b"", stream=STREAM, headers=sent)
    await jetstream.delete_msg(_NAME, letter.seq or 0)


def _described(letter: RawStreamMsg, *, replayed: bool) -> dict[str, Any]:
    headers = letter.headers or {}
    return {
        "id": letter.seq,
        "replayed": replayed,
        "consumer": headers[deadletters.CONSUMER],
        "reason": headers[deadletters.REASON],
        "detail": headers[deadletters.DETAIL],
        "instance": instance_of(letter.subject or ""),
        "subject": headers[deadletters.SUBJECT],
        "sequence": int(headers[deadletters.SEQUENCE]),
        "attempts": int(headers[deadletters.ATTEMPTS]),
        "event": headers.get("ce-id", ""),
        "time": headers.get("ce-time", ""),
    }
