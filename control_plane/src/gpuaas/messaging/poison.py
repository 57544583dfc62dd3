"""What an event fails for: itself, or what its consumer needs."""

from __future__ import annotations

import nats.errors
import psycopg


class Poison(Exception):  # noqa: N818  # what it is called in the field
    """An event that can never be handled; ``reason`` is stable and one word, ``detail`` is for whoever looks into it."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class Unavailable(Exception):  # noqa: N818
    """Somebody whom the handler needs does not answer; the event is not to blame, and waits."""


def is_to_blame(error: Exception) -> bool:
    """Whether it may be the event that ``error`` comes from.

    Not where the database, NATS or the network is away, nor where a schema or a right is still missing: those would send
    every event to the dead letters. Of what Postgres says, only that about the data itself speaks against an event.
    """
    if isinstance(error, psycopg.DataError | psycopg.IntegrityError):
        return True
    return not isinstance(error, Unavailable | psycopg.Error | nats.errors.Error | OSError)
