"""How a project stands, what is sealed in it and which devices ask: for its members, and nothing of another project."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.types.json import Jsonb

from gpuaas.api.dashboard import devices
from gpuaas.encryption import start
from gpuaas.encryption.environment import environment_of
from gpuaas.encryption.epoch import Chain
from gpuaas.encryption.member import MemberKey
from gpuaas.encryption.providers.file import FileKeyProvider
from support.instances import bearer, create
from support.issuer import Issuer
from support.members import CANARY, PLAINTEXT, Client
from support.processes import Server, connect
from test_api_timeline import happens


@pytest.fixture
def client(api: httpx.Client, issuer: Issuer) -> Client:
    return Client(api, issuer)


def seen(api: httpx.Client, headers: dict[str, str], project: str = "alpha") -> dict[str, Any]:
    answer = api.get("/v1/dashboard", headers=headers, params={"project": project})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_how_a_project_stands(client: Client, issuer: Issuer, database: psycopg.Connection, postgres: Server) -> None:
    client.begin()
    one = create(client.api, client.headers).json()["id"]
    create(client.api, bearer(issuer, groups=["/projects/beta"]))
    [first, second] = happens(database, one, 2)
    happens(database, one, project="beta")
    report = {
        "behind_since": datetime(2026, 11, 30, tzinfo=UTC).isoformat(),
        "chains": [
            {"project": "beta", "start": 0, "number": 7, "verified": 7, "faults": []},
            {"project": "alpha", "start": 1, "number": 41, "verified": 40, "faults": ["journal_gap: 41"]},
        ],
    }
    with connect(postgres, "gpuaas_relay") as its:
        its.execute("INSERT INTO reports (about, content) VALUES ('journal', %s)", [Jsonb(report)])
    found = seen(client.api, bearer(issuer, roles=["viewer"]))
    assert found["fleet"] == [{"gpu_type": "H100", "state": "requested", "instances": 1, "gpus": 4}]
    assert found["outbox"]["waiting"] == 1
    assert [entry["position"] for entry in found["entries"]] == [second, first]
    assert found["position"] == second + 1
    assert found["epoch"] == {"number": 1, "digest": client.chain.current.pin.digest}
    assert found["security"] == {"mode": "PROD", "member_keys": "devices"}
    chain = {name: found["journal"][name] for name in ("start", "number", "verified", "faults", "waiting", "stale")}
    assert chain == {
        "start": 1,
        "number": 41,
        "verified": 40,
        "faults": ["journal_gap: 41"],
        "waiting": 1,
        "stale": False,
    }
    assert found["journal"]["behind_since"].startswith("2026-11-30T00:00:00")


def test_what_nobody_reports_is_not_made_up(client: Client) -> None:
    found = seen(client.api, client.headers)
    assert (found["journal"], found["epoch"], found["entries"], found["fleet"]) == (None, None, [], [])


def test_the_database_is_asked_once_a_second_however_many_look(
    client: Client, issuer: Issuer, database: psycopg.Connection
) -> None:
    before = seen(client.api, client.headers)["time"]
    assert {seen(client.api, bearer(issuer, sub=f"user-{n}"))["time"] for n in range(5)} == {before}


@pytest.mark.parametrize("path", ["/v1/dashboard", "/v1/envelopes", "/v1/devices"])
def test_it_is_its_projects_alone(client: Client, issuer: Issuer, path: str) -> None:
    for claims, status in (
        ({"groups": ["/projects/beta"]}, 403),
        ({"roles": ["platform"]}, 403),
        ({"groups": []}, 403),
    ):
        headers = bearer(issuer, **claims)
        assert client.api.get(path, headers=headers, params={"project": "alpha"}).status_code == status
    assert client.api.get(path, params={"project": "alpha"}).status_code == 401


def test_in_prod_what_is_sealed_is_passed_on_sealed(client: Client) -> None:
    client.begin()
    private = client.private()
    made = client.create(private).json()
    create(client.api, client.headers)
    answer = client.api.get("/v1/envelopes", headers=client.headers)
    assert CANARY not in answer.text
    assert answer.json()["items"] == [
        {
            "instance_id": made["id"],
            "name": made["name"],
            "content": {
                "kind": "sealed",
                "event_id": client.binding(private["instance_id"]).event_id,
                "type": "instance.private",
                "security_mode": "PROD",
                "reason": "plaintext_not_here",
                "envelope": private["envelope"],
            },
        }
    ]


@pytest.fixture
def start_local(
    start_api: Callable[..., httpx.Client], issuer: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], httpx.Client]:
    """An API in another security mode, with a root key in a file. The issuer is at 127.0.0.1, which LOCAL refuses."""
    monkeypatch.setattr(start, "refuse", lambda *_held: None)
    ring = tmp_path / "root_keyring"
    FileKeyProvider(ring, environment_of(issuer.url)).create()
    return lambda mode: start_api(
        GPUAAS_SECURITY_MODE=mode, GPUAAS_KEY_PROVIDER=ring.as_uri(), GPUAAS_MEMBER_KEYS="escrow"
    )


@pytest.mark.parametrize(
    ("mode", "reason"), [("LOCAL", None), ("STAGING", "plaintext_role"), ("PROD", "plaintext_not_here")]
)
def test_the_server_opens_for_a_member_in_local_and_nowhere_else(
    start_local: Callable[[str], httpx.Client],
    issuer: Issuer,
    database: psycopg.Connection,
    tmp_path: Path,
    mode: str,
    reason: str | None,
) -> None:
    client = Client(start_local(mode), issuer)
    client.begin()
    client.create(client.private())
    headers = bearer(issuer, roles=["viewer"])
    if mode == "LOCAL":
        content = client.api.get("/v1/envelopes", headers=headers).json()["items"][0]["content"]
        assert (content["kind"], content["reason"]) == ("sealed", "plaintext_no_key")
    client.leave_key(database, FileKeyProvider(tmp_path / "root_keyring", client.environment))
    content = client.api.get("/v1/envelopes", headers=headers).json()["items"][0]["content"]
    if reason is None:
        assert (content["kind"], content["content"]) == ("plain", PLAINTEXT.decode())
        assert "envelope" not in content
    else:
        assert (content["kind"], content["reason"]) == ("sealed", reason)
        assert CANARY not in str(content)


def test_a_device_asks_and_is_a_member_of_nothing(client: Client, issuer: Issuer, database: psycopg.Connection) -> None:
    device = MemberKey.generate(client.environment, "alice").public
    headers = bearer(issuer, roles=["viewer"])
    for _again in range(2):
        asked = client.api.post("/v1/devices", json={"public": device.members()}, headers=headers)
        assert (asked.status_code, asked.json()["kid"]) == (201, device.kid)
    waiting = client.api.get("/v1/devices", headers=headers).json()["items"]
    assert [(its["kid"], its["public"]) for its in waiting] == [(device.kid, device.members())]
    assert client.api.get("/v1/epochs", headers=headers).json()["records"] == []
    # Who asked a day ago asks again, if it still wants to.
    database.execute("UPDATE members SET created_at = now() - interval '25 hours'")
    assert client.api.get("/v1/devices", headers=headers).json()["items"] == []


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda ring: ring.chmod(0o644), "root_file_open_to_others"),
        (lambda ring: ring.write_bytes(ring.read_bytes()[:-40]), "root_file_malformed"),
        (
            lambda ring: ring.write_text(json.dumps({**json.loads(ring.read_text()), "environment": "x"})),
            "root_file_environment",
        ),
        (lambda ring: ring.unlink(), "root_file_missing"),
        (lambda ring: (ring.unlink(), FileKeyProvider(ring, "").create()), "root_another"),
    ],
)
def test_without_its_root_key_nothing_is_opened_and_nothing_is_lost(
    start_local: Callable[[str], httpx.Client],
    issuer: Issuer,
    database: psycopg.Connection,
    tmp_path: Path,
    damage: Callable[[Path], object],
    reason: str,
) -> None:
    client = Client(start_local("LOCAL"), issuer)
    client.begin()
    client.create(client.private())
    ring = tmp_path / "root_keyring"
    client.leave_key(database, FileKeyProvider(ring, client.environment))

    def content() -> dict[str, Any]:
        (item,) = client.api.get("/v1/envelopes", headers=client.headers).json()["items"]
        found: dict[str, Any] = item["content"]
        return found

    kept = ring.read_bytes()
    damage(ring)
    assert (content()["kind"], content()["reason"]) == ("sealed", reason)
    assert CANARY not in str(content())
    # Nor is anybody let in; who asks waits for a member.
    device = {"public": MemberKey.generate(client.environment, "alice").public.members()}
    assert client.api.post("/v1/devices", json=device, headers=client.headers).status_code == 201
    assert len(client.api.get("/v1/epochs", headers=client.headers).json()["records"]) == 1
    ring.unlink(missing_ok=True)
    ring.touch(0o600)
    ring.write_bytes(kept)
    assert content()["kind"] == "plain"


@pytest.mark.parametrize("mode", ["LOCAL", "STAGING"])
def test_in_local_a_device_of_who_is_logged_in_is_a_member_at_once(
    start_local: Callable[[str], httpx.Client],
    issuer: Issuer,
    database: psycopg.Connection,
    tmp_path: Path,
    mode: str,
) -> None:
    client = Client(start_local(mode), issuer)
    device = MemberKey.generate(client.environment, "alice")

    def ask() -> list[str]:
        asked = client.api.post("/v1/devices", json={"public": device.public.members()}, headers=client.headers)
        assert asked.status_code == 201, asked.text
        records: list[str] = client.api.get("/v1/epochs", headers=client.headers).json()["records"]
        return records

    # Where nobody has left a key nobody lets it in.
    assert ask() == []
    client.begin()
    client.create(client.private())
    client.leave_key(database, FileKeyProvider(tmp_path / "root_keyring", client.environment))
    for _again in range(2):
        assert len(ask()) == (2 if mode == "LOCAL" else 1)
    if mode == "LOCAL":
        chain = Chain.verified(client.environment, "alpha", ask(), client.chain.current.pin)
        assert chain.current.members.keys() == {client.key.kid, device.kid}
        # It reads what was before, and the server goes on to open.
        assert len(chain.unlock(device.agree)) == 2
        (item,) = client.api.get("/v1/envelopes", headers=client.headers).json()["items"]
        assert item["content"]["kind"] == "plain"
        # Who was removed does not come back by asking.
        client.begin(chain.rotated(client.key, [client.key.public], None, chain.unlock(client.key.agree)))
        assert len(ask()) == 3


def test_a_device_of_somebody_else_or_none_is_refused(client: Client) -> None:
    for public, status, code in (
        (MemberKey.generate(client.environment, "bob").public.members(), 403, "forbidden"),
        ({"name": "alice"}, 400, "epoch_malformed"),
        ({**client.key.public.members(), "agree": client.key.public.members()["sign"]}, 400, "epoch_malformed"),
    ):
        asked = client.api.post("/v1/devices", json={"public": public}, headers=client.headers)
        assert (asked.status_code, asked.json()["code"]) == (status, code)


def test_devices_that_ask_are_bounded(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "MOST_OF_A_PROJECT", 2)
    for status in (201, 201, 409):
        public = MemberKey.generate(client.environment, "alice").public.members()
        assert client.api.post("/v1/devices", json={"public": public}, headers=client.headers).status_code == status


def test_to_ask_takes_nothing_from_a_key_in_escrow(client: Client, database: psycopg.Connection) -> None:
    database.execute(
        "INSERT INTO members (project, kid, name, public, escrow) VALUES ('alpha', %s, 'alice', %s, 'sealed')",
        [client.key.kid, Jsonb(client.key.public.members())],
    )
    client.api.post("/v1/devices", json={"public": client.key.public.members()}, headers=client.headers)
    assert database.execute("SELECT escrow FROM members").fetchall() == [("sealed",)]
