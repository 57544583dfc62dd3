"""The chain of a project: each entry has the digest of the one before it, so whoever knows the newest digest knows them all.

An entry's digest is SHA-256 over its fields in the Pre-Authentication Encoding of PASETO, which writes the length before
each of them: no two entries have the same bytes. The payload goes in as it is; nothing here reads it.

https://github.com/paseto-standard/paseto-spec/blob/master/docs/01-Protocol-Versions/Common.md#pae-definition

It shows what was changed to whoever has a digest from before. It does not say who wrote an entry: who can write both the
journal and the digest that is kept elsewhere can write another past.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

LABEL = b"gpuaas-journal-v1"
DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True)
class Pin:
    """A place in a chain: the number of an entry, and its digest."""

    number: int
    digest: bytes


# Before the first entry. Its zero bytes are the digest of nothing that is known.
GENESIS = Pin(0, bytes(DIGEST_BYTES))


@dataclass(frozen=True, slots=True)
class Record:
    """What is written down of an event; ``time`` as RFC 3339 writes it, in UTC and to the microsecond."""

    project: str
    event_id: uuid.UUID
    type: str
    schema_version: int
    time: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """A record at its place, as it is stored: ``digest`` is what was computed when it was written."""

    record: Record
    number: int
    previous: bytes
    digest: bytes

    @property
    def pin(self) -> Pin:
        return Pin(self.number, self.digest)


def following(pin: Pin, record: Record) -> Entry:
    """The entry of ``record`` after ``pin``. The same two make the same entry, whoever asks and however often."""
    number = pin.number + 1
    return Entry(record, number, pin.digest, digest(record, number, pin.digest))


def digest(record: Record, number: int, previous: bytes) -> bytes:
    """What an entry of this content at this place has as its digest."""
    pieces = [
        LABEL,
        previous,
        record.project.encode(),
        str(number).encode(),
        str(record.event_id).encode(),
        record.type.encode(),
        str(record.schema_version).encode(),
        record.time.encode(),
        record.payload,
    ]
    return hashlib.sha256(pae(pieces)).digest()


def pae(pieces: Sequence[bytes]) -> bytes:
    """PASETO's Pre-Authentication Encoding: how many pieces there are, then each after its length, all in LE64."""
    return len(pieces).to_bytes(8, "little") + b"".join(len(piece).to_bytes(8, "little") + piece for piece in pieces)


def written(time: datetime) -> str:
    """A time with a zone as a record has it."""
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
