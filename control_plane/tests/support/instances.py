"""Instances as a client of the API asks for them, and what the database has of them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg

from support.issuer import Issuer

BODY = {"name": "training-1", "gpu_type": "H100", "gpu_count": 4}


def bearer(issuer: Issuer, **claims: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {issuer.token(**claims)}"}


def create(api: httpx.Client, headers: dict[str, str], body: object = None, key: str | None = None) -> httpx.Response:
    sent = {**headers, "Idempotency-Key": key or str(uuid.uuid4())}
    return api.post("/v1/instances", json=BODY if body is None else body, headers=sent)


def rows(database: psycopg.Connection, statement: str) -> list[Any]:
    return database.execute(statement).fetchall()


@contextmanager
def broken_outbox(database: psycopg.Connection) -> Iterator[None]:
    """An outbox that refuses every row."""
    database.execute("ALTER TABLE outbox ADD CONSTRAINT broken CHECK (false) NOT VALID")
    try:
        yield
    finally:
        database.execute("ALTER TABLE outbox DROP CONSTRAINT broken")
