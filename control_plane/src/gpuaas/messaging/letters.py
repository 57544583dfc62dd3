"""Reads the dead letters; whoever may do that is the relay (nats.conf)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError

from gpuaas.messaging import deadletters
from gpuaas.messaging.decoding import instance_of
from gpuaas.messaging.streams import DEADLETTERS
from gpuaas.reporting.documents import DeadLetter

NAME = DEADLETTERS.name or ""


async def letters(jetstream: JetStreamContext) -> AsyncIterator[RawStreamMsg]:
    """Every letter that is there now, oldest first; a replay that fails adds another one, which is not among them."""
    try:
        last = (await jetstream.stream_info(NAME)).state.last_seq
        after = 0
        while after < last:
            letter = await jetstream.get_msg(NAME, seq=after + 1, subject="deadletters.>", next=True)
            after = letter.seq or last
            if after <= last:
                yield letter
    except NotFoundError:
        return


def described(letter: RawStreamMsg) -> DeadLetter:
    """Who gave it up, and why."""
    headers = letter.headers or {}
    return DeadLetter(
        id=letter.seq or 0,
        consumer=headers[deadletters.CONSUMER],
        reason=headers[deadletters.REASON],
        detail=headers[deadletters.DETAIL],
        subject=headers[deadletters.SUBJECT],
        instance=instance_of(letter.subject or ""),
        attempts=int(headers[deadletters.ATTEMPTS]),
        event=headers.get("ce-id", ""),
        given_up_at=letter.time,
    )
