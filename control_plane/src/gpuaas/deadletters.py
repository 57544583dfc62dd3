"""Looks at what consumers gave up, and sends it to them once more.

A replay goes to the consumer that gave the message up and to no other, with the headers and the body that it had, so with
the id of its event: one that was handled after all has no second effect. The letter goes once the replay is stored.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from datetime import datetime

import nats.errors
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg

from gpuaas.messaging import deadletters
from gpuaas.messaging.connection import Messaging
from gpuaas.messaging.consumers import STREAM
from gpuaas.messaging.decoding import instance_of
from gpuaas.messaging.letters import NAME as LETTERS
from gpuaas.messaging.letters import described, letters
from gpuaas.messaging.streams import replays
from gpuaas.relay.process import NAME
from gpuaas.settings import WorkerSettings

CONNECT_SECONDS = 5.0


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
        async for letter in letters(jetstream):
            if replay is not None and replay not in ("all", str(letter.seq)):
                continue
            found = True
            if replay is not None:
                await _replay(jetstream, letter)
            print(_line(letter, replayed=replay is not None))
        if replay not in (None, "all") and not found:
            raise NoSuchLetterError
    finally:
        await messaging.close()


async def _replay(jetstream: JetStreamContext, letter: RawStreamMsg) -> None:
    headers = letter.headers or {}
    consumer = headers[deadletters.CONSUMER]
    # Nobody would read it.
    await jetstream.consumer_info(STREAM, consumer)
    subject = replays(consumer, instance_of(letter.subject or ""))
    sent = {**deadletters.original(headers), "Nats-Msg-Id": f"replay:{letter.seq}:{headers['Nats-Msg-Id']}"}
    await jetstream.publish(subject, letter.data or b"", stream=STREAM, headers=sent)
    await jetstream.delete_msg(LETTERS, letter.seq or 0)


def _line(letter: RawStreamMsg, *, replayed: bool) -> str:
    headers = letter.headers or {}
    sequence, time = int(headers[deadletters.SEQUENCE]), headers.get("ce-time", "")
    document = {**asdict(described(letter)), "replayed": replayed, "sequence": sequence, "time": time}
    return json.dumps(document, default=datetime.isoformat)
