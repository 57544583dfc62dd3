"""Demo data: the same everywhere, as if the API had made it, however often."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import psycopg
import pytest
import redis

from gpuaas import seed
from gpuaas.api.models import InstanceRequest
from gpuaas.encryption import start
from gpuaas.encryption.environment import environment_of
from gpuaas.encryption.epoch import Chain
from gpuaas.encryption.member import MemberKey
from gpuaas.encryption.providers.file import FileKeyProvider
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


@pytest.fixture
def local(environment: dict[str, str], issuer: Issuer, tmp_path: Path) -> dict[str, str]:
    """What LOCAL adds to the settings: members' keys in escrow, under a root key in a file."""
    ring = tmp_path / "root_keyring"
    FileKeyProvider(ring, environment_of(issuer.url)).create()
    changes = {
        "GPUAAS_SECURITY_MODE": "LOCAL",
        "GPUAAS_KEY_PROVIDER": ring.as_uri(),
        "GPUAAS_MEMBER_KEYS": "escrow",
    }
    environment.update(changes)
    return changes


def members(database: psycopg.Connection) -> list[tuple[object, ...]]:
    kept = database.execute("SELECT project, name, kid, escrow FROM members ORDER BY 1, 2").fetchall()
    return kept + database.execute("SELECT project, number::text, record, '' FROM epochs ORDER BY 1, 2").fetchall()


def said(capsys: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    lines = map(json.loads, capsys.readouterr().out.splitlines())
    return [line["members"] for line in lines if "members" in line]


def test_members_are_made_up_once_with_their_keys_in_escrow(
    local: dict[str, str],
    settings: ApiSettings,
    secrets: ApiSecrets,
    database: psycopg.Connection,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert seed.run(settings, secrets) == 0
    first = members(database)
    assert [(row[0], row[1]) for row in first] == [
        ("atlas", "alice"),
        ("atlas", "bob"),
        ("borealis", "alice"),
        ("borealis", "bob"),
        ("atlas", "1"),
        ("borealis", "1"),
    ]
    assert all(row[3] for row in first[:4])
    assert seed.run(settings, secrets) == 0
    assert members(database) == first
    assert said(capsys) == [{"atlas": "made", "borealis": "made"}, {"atlas": "there", "borealis": "there"}]


def test_where_the_server_may_hold_no_keys_nobody_is_made_up(
    settings: ApiSettings, secrets: ApiSecrets, database: psycopg.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    assert seed.run(settings, secrets) == 0
    assert members(database) == []
    assert database.execute("SELECT count(*) FROM instance_envelopes").fetchone() == (0,)
    assert said(capsys) == [{"atlas": "none", "borealis": "none"}]


def test_a_project_that_others_began_is_left_to_them(
    local: dict[str, str],
    settings: ApiSettings,
    secrets: ApiSecrets,
    database: psycopg.Connection,
    capsys: pytest.CaptureFixture[str],
    issuer: Issuer,
) -> None:
    theirs = Chain.begin(MemberKey.generate(environment_of(issuer.url), "eve"), "atlas").current.record
    database.execute("INSERT INTO epochs (project, number, record) VALUES ('atlas', 1, %s)", [theirs])
    assert seed.run(settings, secrets) == 0
    assert {row[0] for row in members(database) if row[3]} == {"borealis"}
    assert database.execute("SELECT record FROM epochs WHERE project = 'atlas'").fetchall() == [(theirs,)]
    assert said(capsys) == [{"atlas": "others", "borealis": "made"}]


def test_with_another_root_key_what_is_in_escrow_stays(
    local: dict[str, str],
    settings: ApiSettings,
    secrets: ApiSecrets,
    database: psycopg.Connection,
    capsys: pytest.CaptureFixture[str],
    issuer: Issuer,
) -> None:
    """The run's directory was lost and made again. Whoever has a copy of the keyring puts it back."""
    assert seed.run(settings, secrets) == 0
    first = members(database)
    ring = Path(local["GPUAAS_KEY_PROVIDER"].removeprefix("file://"))
    kept = ring.rename(ring.with_name("copy"))
    FileKeyProvider(ring, environment_of(issuer.url)).create()
    assert seed.run(settings, secrets) == 0
    assert members(database) == first
    kept.replace(ring)
    assert seed.run(settings, secrets) == 0
    assert [each["atlas"] for each in said(capsys)] == ["made", "root_another", "there"]


def test_two_at_once_make_them_once(
    local: dict[str, str],
    environment: dict[str, str],
    database: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    settings: ApiSettings,
    secrets: ApiSecrets,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with ThreadPoolExecutor(2) as both:
        assert list(both.map(lambda _n: seed.run(settings, secrets), range(2))) == [0, 0]
    assert len(members(database)) == 4 + 2
    assert sorted(each["atlas"] for each in said(capsys)) == ["made", "there"]


def test_a_member_who_is_logged_in_is_shown_it_and_nobody_else(
    local: dict[str, str],
    settings: ApiSettings,
    secrets: ApiSecrets,
    start_api: Callable[..., httpx.Client],
    issuer: Issuer,
    database: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The issuer is at 127.0.0.1, which LOCAL refuses.
    monkeypatch.setattr(start, "refuse", lambda *_held: None)
    seed.run(settings, secrets)
    api = start_api()
    (demo,) = (demo for demo in DEMOS if demo.private and demo.project == "atlas")

    def asked(*projects: str) -> httpx.Response:
        token = issuer.token(groups=[f"/projects/{each}" for each in projects], roles=["viewer"])
        return api.get("/v1/envelopes?project=atlas", headers={"Authorization": f"Bearer {token}"})

    (item,) = asked("atlas").json()["items"]
    assert (item["instance_id"], item["name"]) == (str(demo.id), demo.name)
    assert (item["content"]["kind"], item["content"]["content"]) == ("plain", demo.private)
    assert asked("borealis").status_code == 403
    # Another record under this one's name, by who can write to the database.
    database.execute("UPDATE instances SET name = 'another' WHERE id = %s", [demo.id])
    (item,) = asked("atlas").json()["items"]
    assert (item["content"]["kind"], item["content"]["reason"]) == ("sealed", "envelope_event_id")


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
