"""Where a message goes that its consumer gave up: whole, with who gave it up and why."""

from __future__ import annotations

from collections.abc import Mapping

from nats.aio.msg import Msg
from nats.js import JetStreamContext

from gpuaas.messaging.decoding import instance_of
from gpuaas.messaging.poison import Poison
from gpuaas.messaging.streams import DEADLETTERS, deadletters

MAX_HEADER = 500
REASON, DETAIL, CONSUMER = "Gpuaas-Reason", "Gpuaas-Detail", "Gpuaas-Consumer"
SUBJECT, SEQUENCE, ATTEMPTS = "Gpuaas-Subject", "Gpuaas-Sequence", "Gpuaas-Attempts"
OWN = (REASON, DETAIL, CONSUMER, SUBJECT, SEQUENCE, ATTEMPTS)


async def bury(jetstream: JetStreamContext, consumer: str, message: Msg, poison: Poison, attempts: int) -> None:
    """Put ``message`` among the dead letters; returns once they have it on the disk.

    Raises nats.errors.Error, also when they are full: the message then stays with its consumer.
    """
    seen = message.metadata
    headers = {
        **original(message.headers),
        # Of this message, not of its event: a letter that is replayed in vain is another one. A new stream counts from one
        # again, so its time is part of it.
        "Nats-Msg-Id": f"{consumer}:{seen.sequence.stream}:{seen.timestamp.timestamp():.6f}",
        REASON: _line(poison.reason),
        DETAIL: _line(poison.detail) or "-",
        CONSUMER: consumer,
        SUBJECT: message.subject,
        SEQUENCE: str(seen.sequence.stream),
        ATTEMPTS: str(attempts),
    }
    subject = deadletters(consumer, instance_of(message.subject))
    await jetstream.publish(subject, message.data, stream=DEADLETTERS.name, headers=headers)


def original(headers: Mapping[str, str] | None) -> dict[str, str]:
    """The headers that a message was published with, without those of the server and of the dead letters."""
    return {
        name: _line(value)
        for name, value in (headers or {}).items()
        if not name.startswith("Nats-") and name not in OWN
    }


def _line(text: str) -> str:
    """What a header can carry: one line of bounded length."""
    return " ".join(text.split())[:MAX_HEADER].encode("ascii", "backslashreplace").decode()
