"""What of an instance is private: kept sealed, told to nobody, and refused when it is not sealed as it should be."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import httpx
import psycopg
import pytest
import redis

from gpuaas.encryption import tenant
from gpuaas.encryption.binding import DataClass
from gpuaas.encryption.epoch import Chain
from gpuaas.encryption.member import MemberKey
from gpuaas.encryption.reader import Reader
from support.instances import bearer, create, rows
from support.issuer import Issuer
from support.members import CANARY, PLAINTEXT, Client


@pytest.fixture
def client(api: httpx.Client, issuer: Issuer) -> Client:
    return Client(api, issuer)


def test_a_member_gets_back_what_a_member_sealed_and_nobody_else_sees_it(
    client: Client, database: psycopg.Connection, redis_client: redis.Redis
) -> None:
    assert client.begin().json() == {"project": "alpha", "number": 1, "digest": client.chain.current.pin.digest}
    private = client.private()
    created = client.create(private)
    assert created.status_code == 201
    assert "private" not in created.json()
    api, headers = client.api, client.headers
    assert api.get(created.headers["Location"], headers=headers).json()["private"] == private
    assert "private" not in api.get("/v1/instances", headers=headers).json()["items"][0]
    # Through the server to a device that has a pin and no more.
    served = api.get("/v1/epochs", headers=headers).json()
    assert (served["environment"], served["project"]) == (client.environment, "alpha")
    reader = Reader(client.key, "alpha", client.chain.current.pin)
    expected = tenant.Expected(client.binding(private["instance_id"]))
    assert reader.open(private["envelope"], expected, served["records"]) == PLAINTEXT
    # Neither the plaintext nor the envelope is anywhere that a worker looks.
    for table in ("outbox", "idempotency_keys", "timeline", "instances"):
        (kept,) = rows(database, f"SELECT coalesce(string_agg({table}::text, ''), '') FROM {table}")[0]
        assert CANARY not in kept
        assert private["envelope"] not in kept
    assert CANARY not in rows(database, "SELECT string_agg(instance_envelopes::text, '') FROM instance_envelopes")[0][0]
    cached = [redis_client.get(name) for name in redis_client.keys("*") if redis_client.type(name) == "string"]
    assert not any(CANARY in str(each) or private["envelope"] in str(each) for each in cached)


def test_what_is_sealed_under_an_epoch_that_is_over_is_refused_and_nothing_is_made(
    client: Client, database: psycopg.Connection
) -> None:
    client.begin()
    stale = client.private()
    newer = client.chain.rotated(client.key, [client.key.public], None, client.chain.unlock(client.key.agree))
    assert client.begin(newer).json()["number"] == 2
    key = str(uuid.uuid4())
    refused = client.create(stale, key)
    assert (refused.status_code, refused.json()["code"]) == (409, "envelope_epoch_stale")
    assert rows(database, "SELECT count(*) FROM instances") == [(0,)]
    assert rows(database, "SELECT count(*) FROM outbox") == [(0,)]
    # The key was not used up by what was refused.
    assert client.create(client.private(newer), key).status_code == 201


def test_without_an_epoch_nothing_private_is_taken(client: Client) -> None:
    refused = client.create(client.private())
    assert (refused.status_code, refused.json()["code"]) == (409, "envelope_epoch_unknown")
    assert create(client.api, client.headers).status_code == 201


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"project": "beta"}, "envelope_project"),
        ({"environment": "elsewhere.example"}, "envelope_environment"),
        ({"type": "instance.output"}, "envelope_type"),
        ({"schema_version": 1}, "envelope_schema_version"),
        ({"data_class": DataClass.PLATFORM}, "envelope_data_class"),
    ],
)
def test_what_is_bound_to_something_else_is_refused(client: Client, changes: dict[str, Any], code: str) -> None:
    client.begin()
    refused = client.create(client.private(**changes))
    assert (refused.status_code, refused.json()["code"]) == (400, code)


def test_it_is_bound_to_the_instance_by_id_and_by_name(client: Client, database: psycopg.Connection) -> None:
    client.begin()
    for private in ({**client.private(), "instance_id": str(uuid.uuid4())}, client.private(name="training-2")):
        refused = client.create(private)
        assert (refused.status_code, refused.json()["code"]) == (400, "envelope_event_id")
    assert rows(database, "SELECT count(*) FROM instances") == [(0,)]
    private = client.private()
    created = client.create(private)
    assert created.json()["id"] == private["instance_id"]
    assert created.headers["Location"] == f"/v1/instances/{private['instance_id']}"


def test_an_id_that_is_there_is_nobody_elses(client: Client, database: psycopg.Connection) -> None:
    """Also one of an instance without anything private."""
    client.begin()
    there = create(client.api, client.headers).json()["id"]
    sealed = tenant.seal(PLAINTEXT, client.binding(there), client.key, client.chain.current)
    refused = client.create({"instance_id": there, "envelope": sealed})
    assert (refused.status_code, refused.json()["code"]) == (409, "envelope_replayed")
    assert rows(database, "SELECT count(*) FROM instances") == [(1,)]
    assert rows(database, "SELECT count(*) FROM instance_envelopes") == [(0,)]


def test_who_is_no_member_writes_nothing(client: Client) -> None:
    client.begin()
    client.key = MemberKey.generate(client.environment, "mallory")
    refused = client.create(client.private())
    assert (refused.status_code, refused.json()["code"]) == (400, "envelope_author")


def test_one_envelope_is_one_instances(client: Client) -> None:
    client.begin()
    private = client.private()
    assert client.create(private, "first").status_code == 201
    refused = client.create(private, "second")
    assert (refused.status_code, refused.json()["code"]) == (409, "envelope_replayed")


def test_the_same_request_again_is_the_same_and_another_envelope_is_not(client: Client) -> None:
    client.begin()
    private = client.private()
    first = client.create(private, "mine")
    again = client.create(private, "mine")
    assert (again.status_code, again.text) == (200, first.text)
    other = client.create(client.private(), "mine")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")


def test_an_epoch_again_is_the_same_and_another_is_told_who_was_first(client: Client) -> None:
    first = client.begin()
    again = client.begin()
    assert (again.status_code, again.json()) == (201, first.json())
    refused = client.begin(Chain.begin(client.key, "alpha"))
    assert (refused.status_code, refused.json()["code"]) == (409, "epoch_conflict")
    stranger = MemberKey.generate(client.environment, "mallory")
    forged = Chain.begin(stranger, "alpha")
    forged = forged.rotated(stranger, [stranger.public], None, forged.unlock(stranger.agree))
    assert client.begin(forged).json()["code"] == "epoch_conflict"


def test_epochs_are_their_projects(api: httpx.Client, issuer: Issuer, client: Client) -> None:
    client.begin()
    beta = bearer(issuer, groups=["/projects/beta"])
    assert api.get("/v1/epochs", headers=beta).json()["records"] == []
    assert api.get("/v1/epochs?project=alpha", headers=beta).status_code == 403
    body = {"record": client.chain.current.record}
    assert api.post("/v1/epochs", json=body, headers=beta).json()["code"] == "epoch_project"
    viewer = bearer(issuer, roles=["viewer"])
    assert api.post("/v1/epochs", json=body, headers=viewer).status_code == 403


@pytest.mark.parametrize("damage", [lambda text: text[:-4], lambda text: "x", lambda text: f"{text}."])
def test_what_is_no_envelope_is_refused_by_name(client: Client, damage: Callable[[str], str]) -> None:
    client.begin()
    private = client.private()
    refused = client.create({**private, "envelope": damage(private["envelope"])})
    assert refused.status_code == 400
    assert refused.json()["code"] in {"envelope_malformed", "envelope_base64url", "envelope_signature"}
    assert private["envelope"][:40] not in refused.text


def test_what_is_private_goes_with_its_instance(client: Client, database: psycopg.Connection) -> None:
    client.begin()
    client.create(client.private())
    for table in ("outbox", "idempotency_keys", "instances"):
        database.execute(f"DELETE FROM {table}")
    assert rows(database, "SELECT count(*) FROM instance_envelopes") == [(0,)]
