"""Clocks of processes that are minutes wrong: who has a say about time is the database, and for tokens the issuer."""

from __future__ import annotations

import asyncio
import time
import types
from datetime import UTC, datetime, timedelta

import httpx
import psycopg
import pytest

from gpuaas import database as connections
from gpuaas.api.models import GpuType, InstanceRequest
from gpuaas.api.store import Store
from gpuaas.oidc import tokens
from gpuaas.settings import MigrateSecrets, MigrateSettings
from support.issuer import Issuer

MINUTES = timedelta(minutes=5)
REQUEST = InstanceRequest(name="trainer", gpu_type=GpuType.H100, gpu_count=1)


def test_the_order_of_events_is_the_databases(
    database: psycopg.Connection, migrate_settings: MigrateSettings, migrate_secrets: MigrateSecrets
) -> None:
    """Of two processes that disagree about the time by ten minutes."""

    async def ask() -> None:
        async with connections.create_pool(migrate_settings, migrate_secrets.database_password, size=1) as pool:
            for key, wrong in (("ahead", MINUTES), ("behind", -MINUTES)):
                store = Store(pool, 8, now=lambda wrong=wrong: datetime.now(UTC) + wrong)  # type: ignore[misc]
                await store.create("alice", key, "atlas", REQUEST)

    before = datetime.now(UTC)
    asyncio.run(ask())
    after = datetime.now(UTC)
    rows = database.execute(
        "SELECT k.key, o.created_at FROM outbox o JOIN idempotency_keys k USING (instance_id) ORDER BY o.id"
    ).fetchall()
    assert [key for key, _at in rows] == ["ahead", "behind"]
    assert before <= rows[0][1] <= rows[1][1] <= after


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [(MINUTES, 401, "token_expired"), (-MINUTES, 200, None), (-2 * MINUTES, 401, "token_not_yet_valid")],
)
def test_a_token_is_good_by_the_clock_of_whoever_asks(
    api: httpx.Client,
    issuer: Issuer,
    monkeypatch: pytest.MonkeyPatch,
    wrong: timedelta,
    status: int,
    code: str | None,
) -> None:
    """Ahead: refused early, so its owner logs in again. Behind: good for some minutes more, unless it says from when on."""
    now = int(time.time())
    token = issuer.token(exp=now + 120, iat=now, **({"nbf": now} if code == "token_not_yet_valid" else {}))
    monkeypatch.setattr(tokens, "time", types.SimpleNamespace(time=lambda: time.time() + wrong.total_seconds()))
    answer = api.get("/v1/instances", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json().get("code")) == (status, code)
