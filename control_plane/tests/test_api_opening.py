"""What the server opens in STAGING: for a role and a purpose, after an event that says so, and with a KMS that lets it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from gpuaas import seed
from gpuaas.encryption.decryption import ROLE
from gpuaas.encryption.providers import kms_client, parse, provider_of
from gpuaas.messaging.events import Event
from gpuaas.notification.sentences import sentence
from gpuaas.settings import ApiSecrets, ApiSettings, read_settings
from support import kms as kms_server
from support.instances import bearer, broken_outbox, create, rows
from support.issuer import Issuer
from support.kms import Failing, Kms
from support.members import CANARY, PLAINTEXT, Client
from support.ports import free_port
from support.processes import Server, wait_for

ALIAS = "alias/gpuaas"
PURPOSE = "support case 4711"
type Start = Callable[[str], Client]


@pytest.fixture(scope="module")
def kms() -> Iterator[Kms]:
    with kms_server.running() as running:
        running.key(ALIAS)
        yield running


@pytest.fixture
def failing_kms() -> Iterator[Failing]:
    with kms_server.failing() as failing:
        yield failing


@pytest.fixture(autouse=True)
def _identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(kms_server.credentials(tmp_path)))


@pytest.fixture
def start(start_api: Callable[..., httpx.Client], issuer: Issuer, probe: Callable[[str, str], httpx.Response]) -> Start:
    """An API in STAGING, with members' keys in escrow under a key of the KMS at an address. It is ready, also on a busy machine."""

    def started(url: str) -> Client:
        api = start_api(
            GPUAAS_SECURITY_MODE="STAGING",
            GPUAAS_KEY_PROVIDER=f"awskms:{ALIAS}?region={kms_server.REGION}&endpoint={url}",
            GPUAAS_MEMBER_KEYS="escrow",
            GPUAAS_LISTEN_PORT=str(free_port()),
        )
        wait_for(lambda: probe(str(api.base_url), "ready").is_success, "the API")
        return Client(api, issuer)

    return started


@pytest.fixture
def staging(start: Start, kms: Kms, database: psycopg.Connection) -> Client:
    """With an instance that has something private, of a member whose key is in escrow."""
    client = start(kms.url)
    client.begin()
    assert client.create(client.private()).status_code == 201
    client.leave_key(database, provider_of(parse(kms.setting(ALIAS)), client.environment))
    return client


@pytest.fixture
def decryptor(issuer: Issuer) -> dict[str, str]:
    return bearer(issuer, roles=["viewer", ROLE])


def opened(
    client: Client, database: psycopg.Connection, headers: dict[str, str], purpose: str | None = PURPOSE
) -> httpx.Response:
    ((instance_id,),) = rows(database, "SELECT instance_id FROM instance_envelopes")
    body = {} if purpose is None else {"purpose": purpose}
    return client.api.post(f"/v1/instances/{instance_id}/open", json=body, headers=headers)


def events(database: psycopg.Connection) -> list[Any]:
    return rows(
        database, "SELECT event_type, instance_id, payload FROM outbox WHERE event_type = 'instance.opened' ORDER BY id"
    )


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert CANARY not in answer.text


def test_the_role_and_a_purpose_open_and_each_time_is_an_event(
    staging: Client, database: psycopg.Connection, decryptor: dict[str, str]
) -> None:
    for times in (1, 2):
        answer = opened(staging, database, decryptor)
        assert answer.status_code == 200, answer.text
        assert (answer.json()["content"]["kind"], answer.json()["content"]["content"]) == ("plain", PLAINTEXT.decode())
        assert len(events(database)) == times
    ((instance_id,),) = rows(database, "SELECT id FROM instances")
    subject = staging.api.get("/v1/me", headers=decryptor).json()["subject"]
    told = {"actor": subject, "purpose": PURPOSE, "type": "instance.private"}
    assert events(database) == [("instance.opened", instance_id, told)] * 2
    # It goes the way of every event: to the timeline, and into the chain of its project.
    ((at,),) = rows(database, "SELECT max(created_at) FROM outbox")
    said = sentence(Event(instance_id, "instance.opened", instance_id, at, told))
    assert said == f"What is private of it was opened by the platform, for: {PURPOSE}."
    waiting = "SELECT count(*) FROM outbox WHERE event_type = 'instance.opened' AND journal_number IS NULL"
    assert rows(database, waiting) == [(2,)]


@pytest.mark.parametrize(
    ("claims", "purpose", "status", "code"),
    [
        ({"roles": ["viewer", "operator"]}, PURPOSE, 403, "plaintext_role"),
        ({"roles": ["viewer", ROLE]}, "", 403, "plaintext_purpose"),
        ({"roles": ["viewer", ROLE]}, None, 403, "plaintext_purpose"),
        ({"roles": ["viewer", ROLE]}, " \t ", 403, "plaintext_purpose"),
        ({"roles": ["viewer", ROLE]}, "x" * 201, 400, "invalid_request"),
        ({"roles": [ROLE]}, PURPOSE, 403, "forbidden"),
        ({"roles": ["viewer", ROLE], "groups": ["/projects/beta"]}, PURPOSE, 404, "not_found"),
    ],
)
def test_without_them_it_stays_sealed_and_there_is_no_event(
    staging: Client,
    database: psycopg.Connection,
    issuer: Issuer,
    claims: dict[str, Any],
    purpose: str | None,
    status: int,
    code: str,
) -> None:
    refused(opened(staging, database, bearer(issuer, **claims), purpose), status, code)
    assert events(database) == []


def test_nothing_is_opened_by_the_way(staging: Client, database: psycopg.Connection, decryptor: dict[str, str]) -> None:
    """A list and a dashboard say no purpose."""
    (item,) = staging.api.get("/v1/envelopes", headers=decryptor).json()["items"]
    assert (item["content"]["kind"], item["content"]["reason"]) == ("sealed", "plaintext_purpose")
    assert events(database) == []


def test_what_has_nothing_private_is_not_found(
    staging: Client, database: psycopg.Connection, decryptor: dict[str, str]
) -> None:
    other = create(staging.api, staging.headers).json()["id"]
    answer = staging.api.post(f"/v1/instances/{other}/open", json={"purpose": PURPOSE}, headers=decryptor)
    refused(answer, 404, "not_found")


def test_what_cannot_be_audited_is_not_opened(
    staging: Client, database: psycopg.Connection, decryptor: dict[str, str]
) -> None:
    with broken_outbox(database):
        answer = opened(staging, database, decryptor)
    assert answer.status_code == 500
    assert CANARY not in answer.text
    assert opened(staging, database, decryptor).status_code == 200
    assert len(events(database)) == 1


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ("AccessDeniedException", "kms_denied"),
        ("ThrottlingException", "kms_throttled"),
        ("DisabledException", "kms_key_disabled"),
        ("KMSInvalidStateException", "kms_key_deleted"),
        ("NotFoundException", "kms_key_missing"),
        ("", "kms_timeout"),
    ],
)
def test_a_kms_that_does_not_unwrap_opens_nothing_and_loses_nothing(
    staging: Client,
    start: Start,
    failing_kms: Failing,
    database: psycopg.Connection,
    decryptor: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    answers: str,
    code: str,
) -> None:
    monkeypatch.setattr(kms_client, "READ_SECONDS", 0.05)
    monkeypatch.setattr(kms_client, "ATTEMPTS", 1)
    before = rows(database, "SELECT * FROM members"), rows(database, "SELECT * FROM instance_envelopes")
    failing_kms.code = answers
    refused(opened(start(failing_kms.url), database, decryptor), 503, code)
    assert failing_kms.asked == ["TrentService.Decrypt"]
    assert events(database) == []
    assert (rows(database, "SELECT * FROM members"), rows(database, "SELECT * FROM instance_envelopes")) == before
    assert opened(staging, database, decryptor).status_code == 200


def test_members_are_made_up_under_the_kms(
    environment: dict[str, str],
    postgres: Server,
    valkey: Server,
    start: Start,
    kms: Kms,
    database: psycopg.Connection,
    issuer: Issuer,
) -> None:
    """As in LOCAL, and what they sealed is opened for the role and a purpose alone."""
    client = start(kms.url)
    changes = {
        "GPUAAS_SECURITY_MODE": "STAGING",
        "GPUAAS_KEY_PROVIDER": kms.setting(ALIAS),
        "GPUAAS_MEMBER_KEYS": "escrow",
    }
    secrets = ApiSecrets(database_password=postgres.password, redis_password=valkey.password)
    assert seed.run(read_settings(ApiSettings, environment | changes), secrets) == 0
    ((instance_id,),) = rows(database, "SELECT e.instance_id FROM instance_envelopes AS e WHERE e.project = 'atlas'")
    path, body = f"/v1/instances/{instance_id}/open", {"purpose": PURPOSE}
    groups = ["/projects/atlas"]
    refused(
        client.api.post(path, json=body, headers=bearer(issuer, roles=["viewer"], groups=groups)), 403, "plaintext_role"
    )
    answer = client.api.post(path, json=body, headers=bearer(issuer, roles=["viewer", ROLE], groups=groups))
    assert answer.json()["content"]["kind"] == "plain"
    assert len(events(database)) == 1


def test_in_prod_nobody_has_it_opened(
    api: httpx.Client, issuer: Issuer, database: psycopg.Connection, decryptor: dict[str, str]
) -> None:
    client = Client(api, issuer)
    client.begin()
    client.create(client.private())
    refused(opened(client, database, decryptor), 403, "plaintext_not_here")
    assert events(database) == []
