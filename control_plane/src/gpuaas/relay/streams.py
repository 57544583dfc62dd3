"""What the relay alone sees of the streams, for whoever operates the platform: what they hold, and what consumers gave up."""

from __future__ import annotations

from datetime import datetime

from nats.js.errors import NotFoundError

from gpuaas.messaging import letters, streams
from gpuaas.messaging.connection import Messaging
from gpuaas.reporting.documents import DeadLetter, DeadLetters, Stream, Streams

# Each is read from the server by itself. Whoever has more of them than this looks at the first ones first.
MAX_LETTERS = 100


class Observer:
    """Looks at the streams; raises nats.errors.Error, ConnectionError and TimeoutError."""

    def __init__(self, messaging: Messaging) -> None:
        self._messaging = messaging
        self._seen: tuple[datetime | None, int, int, int] | None = None
        self._letters: list[DeadLetter] = []

    async def streams(self) -> Streams:
        """What they hold."""
        jetstream = self._messaging.jetstream()
        found = []
        for wanted in streams.STREAMS:
            try:
                state = (await jetstream.stream_info(wanted.name or "")).state
            except NotFoundError:
                continue  # it is among those that differ
            size = {"messages": state.messages, "bytes": state.bytes, "max_bytes": wanted.max_bytes or 0}
            found.append(Stream(name=wanted.name or "", **size))
        return Streams(items=found, differ=await streams.differences(jetstream))

    async def dead_letters(self) -> DeadLetters:
        """The dead letters; read again only where there are others."""
        jetstream = self._messaging.jetstream()
        try:
            info = await jetstream.stream_info(letters.NAME)
        except NotFoundError:
            return DeadLetters(total=0, items=[])
        state = info.state
        seen = (info.created, state.first_seq, state.last_seq, state.messages)
        if seen != self._seen:
            found = []
            async for letter in letters.letters(jetstream):
                found.append(letters.described(letter))
                if len(found) == MAX_LETTERS:
                    break
            self._letters, self._seen = found, seen
        return DeadLetters(total=state.messages, items=self._letters)
