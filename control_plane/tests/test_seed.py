"""Demo data: the same everywhere, as if the API had made it, however often."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import httpx
import psycopg
import pytest
import redis

from gpuaas import seed
from gpuaas.api.models import InstanceRequest
from gpuaas.seed import DEMOS
from gpuaas.settings import ApiSecrets, ApiSettings, read_settings
from support.issuer import Issuer
from support.ports import free_port
from support.processes import Server


@pytest.fixture
def settings(environment: dict[str, str]) -> ApiSettings:
    return read_settings(ApiSettings, environment)


@pytest.fixture
def secrets(postgres: Server, valkey: Server) -> ApiSecrets:
    return ApiSecrets(database_password=postgres.password, redis_password=valkey.password)


def everything(database: psycopg.Connection) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    instances = database.execute(
        "SELECT id, project, name, gpu_type, gpu_count, state, created_by, created_at, deleted_at FROM instances"
        " ORDER BY id"
    ).fetchall()
    events = database.execute("SELECT event_type, instance_id, payload FROM outbox ORDER BY id").fetchall()
    return instances, events


def test_it_is_there_once(
    settings: ApiSettings,
    secrets: ApiSecrets,
    database: psycopg.Connection,
    redis_client: redis.Redis,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert seed.run(settings, secrets) == 0
    first = everything(database)
    assert seed.run(settings, secrets) == 0
    assert everything(database) == first
    made = [json.loads(line)["made"] for line in capsys.readouterr().out.splitlines()]
    assert made == [len(DEMOS), 0]


def test_it_is_what_the_api_would_have_written(
    settings: ApiSettings, secrets: ApiSecrets, database: psycopg.Connection, redis_client: redis.Redis
) -> None:
    seed.run(settings, secrets)
    instances, events = everything(database)
    assert {row[0] for row in instances} == {demo.id for demo in DEMOS}
    deleted = {demo.id for demo in DEMOS if demo.deleted}
    assert {row[0] for row in instances if row[5] == "deleted"} == deleted
    assert deleted
    assert sorted(str(row[1]) for row in events if row[0] == "instance.requested") == sorted(str(d.id) for d in DEMOS)
    assert {row[1] for row in events if row[0] == "instance.deleted"} == deleted
    assert len(events) == len(DEMOS) + len(deleted)
    keys = database.execute("SELECT count(*) FROM idempotency_keys").fetchone()
    assert keys == (len(DEMOS),)


def test_members_see_it(
    settings: ApiSettings, secrets: ApiSecrets, api: httpx.Client, issuer: Issuer, database: psycopg.Connection
) -> None:
    headers = {"Authorization": f"Bearer {issuer.token(groups=['/projects/atlas'])}"}
    assert api.get("/v1/instances", headers=headers).json()["items"] == []
    seed.run(settings, secrets)
    # At once: the list that was just cached is not shown any more.
    items = api.get("/v1/instances", headers=headers).json()["items"]
    wanted = [demo.name for demo in reversed(DEMOS) if demo.project == "atlas" and not demo.deleted]
    assert [item["name"] for item in items] == wanted
    assert {item["created_by"] for item in items} == {"alice", "bob"}


def test_the_api_would_take_each() -> None:
    for demo in DEMOS:
        InstanceRequest(
            name=demo.name,
            gpu_type=demo.gpu_type,
            gpu_count=demo.gpu_count,
            project=demo.project,
            workload=demo.workload,
        )
    assert len({demo.key for demo in DEMOS}) == len(DEMOS)
    assert len({demo.project for demo in DEMOS}) > 1


def test_what_users_did_meanwhile_stays(
    settings: ApiSettings, secrets: ApiSecrets, api: httpx.Client, issuer: Issuer, database: psycopg.Connection
) -> None:
    seed.run(settings, secrets)
    headers = {"Authorization": f"Bearer {issuer.token(groups=['/projects/atlas'])}", "Idempotency-Key": "mine"}
    body = {"name": "mine", "gpu_type": "H100", "gpu_count": 1}
    assert api.post("/v1/instances", headers=headers, json=body).status_code == 201
    assert api.delete(f"/v1/instances/{DEMOS[0].id}", headers=headers).status_code == 204
    before = everything(database)
    assert seed.run(settings, secrets) == 0
    assert everything(database) == before


def test_a_run_that_was_stopped_is_completed(
    settings: ApiSettings,
    secrets: ApiSecrets,
    database: psycopg.Connection,
    redis_client: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between the making of an instance and its deletion."""
    with monkeypatch.context() as patched:
        patched.setattr(seed, "DEMOS", tuple(replace(demo, deleted=False) for demo in DEMOS[:5]))
        assert seed.run(settings, secrets) == 0
    assert seed.run(settings, secrets) == 0
    instances, _events = everything(database)
    assert {row[0] for row in instances if row[5] == "deleted"} == {demo.id for demo in DEMOS if demo.deleted}


def test_another_versions_list_is_left_alone(
    settings: ApiSettings,
    secrets: ApiSecrets,
    database: psycopg.Connection,
    redis_client: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seed.run(settings, secrets)
    before = everything(database)
    monkeypatch.setattr(seed, "DEMOS", tuple(replace(demo, gpu_count=3) for demo in DEMOS))
    assert seed.run(settings, secrets) == 0
    assert everything(database) == before


def test_without_a_schema(
    settings: ApiSettings,
    secrets: ApiSecrets,
    superuser: psycopg.Connection,
    redis_client: redis.Redis,
    capsys: pytest.CaptureFixture[str],
) -> None:
    superuser.execute("CREATE DATABASE empty")
    try:
        assert seed.run(replace(settings, database_name="empty"), secrets) == 1
    finally:
        superuser.execute("DROP DATABASE empty WITH (FORCE)")
    assert "run gpuaas migrate first" in capsys.readouterr().out


@pytest.mark.parametrize("what", ["database", "redis"])
def test_without_its_servers(
    settings: ApiSettings,
    secrets: ApiSecrets,
    database: psycopg.Connection,
    redis_client: redis.Redis,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    what: str,
) -> None:
    monkeypatch.setattr("gpuaas.database.CHECKOUT_SECONDS", 0.2)
    port = free_port()
    changed = replace(settings, database_port=port) if what == "database" else replace(settings, redis_port=port)
    assert seed.run(changed, secrets) == (seed.EX_UNAVAILABLE if what == "database" else 0)
    said = capsys.readouterr().out
    assert ("database is not reachable" if what == "database" else "cache not invalidated") in said
    assert secrets.database_password not in said


def test_as_a_command(environment: dict[str, str], database: psycopg.Connection, run: Callable[[str], str]) -> None:
    assert '"made": 7' in run("seed")
    assert '"made": 0' in run("seed")
