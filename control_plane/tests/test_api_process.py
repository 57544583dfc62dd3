"""Health, configuration, documentation, headers: what is not about instances."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
import pytest

from gpuaas.api.readiness import EXPECTED_VERSION
from gpuaas.configuration import secret_digest, setting_digest
from support import processes
from support.issuer import Issuer
from support.ports import free_port
from support.processes import Server, wait_for

type Probe = Callable[[str, str], httpx.Response]


def test_ready_without_the_identity_provider(api: httpx.Client, issuer: Issuer, probe: Probe) -> None:
    issuer.down = True
    assert probe(str(api.base_url), "ready").json() == {"status": "ready"}
    assert probe(str(api.base_url), "live").json() == {"status": "live"}


def test_probes_are_not_public(api: httpx.Client) -> None:
    for path in ("/healthz/live", "/healthz/ready"):
        assert (api.get(path).status_code, api.get(path).json()["code"]) == (404, "not_found")


def test_not_ready_without_a_database(
    start_api: Callable[..., httpx.Client], issuer: Issuer, probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gpuaas.database.CHECKOUT_SECONDS", 0.2)
    api = start_api(GPUAAS_DATABASE_PORT=str(free_port()))
    response = probe(str(api.base_url), "ready")
    assert response.status_code == 503
    assert list(response.json()["missing"]) == ["database"]
    assert probe(str(api.base_url), "live").status_code == 200
    refused = api.get("/v1/instances", headers={"Authorization": f"Bearer {issuer.token()}"})
    assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")


def test_not_ready_without_redis_and_ready_when_it_comes(
    start_api: Callable[..., httpx.Client], issuer: Issuer, probe: Probe
) -> None:
    port = free_port()
    api = start_api(GPUAAS_REDIS_PORT=str(port))
    url = str(api.base_url)
    assert list(probe(url, "ready").json()["missing"]) == ["redis"]
    refused = api.get("/v1/me", headers={"Authorization": f"Bearer {issuer.token()}"})
    assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
    with processes.valkey(port):
        wait_for(lambda: probe(url, "ready").status_code == 200, "readiness", 5)


def test_not_ready_before_the_schema_is(api: httpx.Client, database: psycopg.Connection, probe: Probe) -> None:
    url = str(api.base_url)
    with database.transaction(force_rollback=False):
        database.execute("ALTER TABLE schema_version RENAME TO schema_version_kept")
    try:
        missing = probe(url, "ready").json()["missing"]
        assert missing == {"database": f"schema is at version 0, this build needs {EXPECTED_VERSION}"}
    finally:
        database.execute("ALTER TABLE schema_version_kept RENAME TO schema_version")
    wait_for(lambda: probe(url, "ready").status_code == 200, "readiness", 5)


def test_ready_with_a_newer_schema(api: httpx.Client, database: psycopg.Connection, probe: Probe) -> None:
    database.execute("INSERT INTO schema_version (version, name, sha256) VALUES (9999, 'later', '')")
    try:
        assert probe(str(api.base_url), "ready").status_code == 200
    finally:
        database.execute("DELETE FROM schema_version WHERE version = 9999")


def test_ready_while_requests_hold_every_connection(
    start_api: Callable[..., httpx.Client], issuer: Issuer, database: psycopg.Connection, probe: Probe
) -> None:
    api = start_api(GPUAAS_DATABASE_POOL_SIZE="1")
    headers = {"Authorization": f"Bearer {issuer.token()}"}
    with ThreadPoolExecutor(1) as threads:
        with database.transaction():
            database.execute("LOCK TABLE instances")
            held = threads.submit(api.get, "/v1/instances", headers=headers)
            wait_for(lambda: waiting(database), "the request")
            assert probe(str(api.base_url), "ready").json() == {"status": "ready"}
        assert held.result().status_code == 200


def waiting(database: psycopg.Connection) -> bool:
    """Whether somebody waits for a lock."""
    return database.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone() != (0,)


def test_a_broken_connection_is_replaced(api: httpx.Client, issuer: Issuer, superuser: psycopg.Connection) -> None:
    headers = {"Authorization": f"Bearer {issuer.token()}"}
    assert api.get("/v1/instances?limit=7", headers=headers).status_code == 200
    superuser.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gpuaas'")
    assert api.get("/v1/instances?limit=8", headers=headers).status_code == 200


def test_configuration_has_names_and_digests_only(
    api: httpx.Client, issuer: Issuer, environment: dict[str, str], postgres: Server, valkey: Server
) -> None:
    response = api.get("/v1/configuration", headers={"Authorization": f"Bearer {issuer.token(roles=['platform'])}"})
    document = response.json()
    assert document["service"] == "api"
    salt = document["salt"]
    assert len(bytes.fromhex(salt)) == 16
    for name in ("GPUAAS_DATABASE_PORT", "GPUAAS_OIDC_ISSUER"):
        assert document["settings"][name]["hmac_sha256"] == setting_digest(name, environment[name], salt)
    assert document["settings"]["GPUAAS_DATABASE_PORT"]["type"] == "port"
    assert len(document["settings"]) == 24
    assert document["secrets"] == {
        "database_password": {"hmac_sha256": secret_digest("database_password", postgres.password, salt)},
        "redis_password": {"hmac_sha256": secret_digest("redis_password", valkey.password, salt)},
    }
    for value in (environment["GPUAAS_OIDC_ISSUER"], postgres.password, valkey.password):
        assert value not in response.text
        assert hashlib.sha256(value.encode()).hexdigest() not in response.text


@pytest.mark.parametrize("roles", [["viewer"], ["operator"], ["operator", "viewer"], [], None])
def test_configuration_is_for_who_runs_the_platform(api: httpx.Client, issuer: Issuer, roles: list[str] | None) -> None:
    assert api.get("/v1/configuration").status_code == 401
    headers = {"Authorization": f"Bearer {issuer.token(roles=roles)}"}
    refused = api.get("/v1/configuration", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")


def test_who_runs_the_platform_is_no_user_of_it(api: httpx.Client, issuer: Issuer) -> None:
    headers = {"Authorization": f"Bearer {issuer.token(roles=['platform'])}"}
    assert api.get("/v1/instances", headers=headers).status_code == 403


def test_documentation_needs_nothing_from_elsewhere(api: httpx.Client) -> None:
    page = api.get("/docs")
    assert page.status_code == 200
    for word in ("/v1/instances", "Idempotency-Key", "POST", "DELETE"):
        assert word in page.text
    assert "<script" not in page.text
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert set(api.get("/openapi.json").json()["paths"]) == {
        "/v1/instances",
        "/v1/instances/{instance_id}/open",
        "/v1/instances/{instance_id}/timeline",
        "/v1/events",
        "/v1/dashboard",
        "/v1/envelopes",
        "/v1/devices",
        "/v1/instances/{instance_id}",
        "/v1/instances/{instance_id}/stop",
        "/v1/instances/{instance_id}/start",
        "/v1/quota",
        "/v1/epochs",
        "/v1/me",
        "/v1/notices",
        "/v1/platform",
        "/v1/configuration",
    }


def test_headers(api: httpx.Client) -> None:
    response = api.get("/v1/me", headers={"X-Request-Id": "mine-1"})
    assert response.headers["X-Request-Id"] == "mine-1"
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"
    assert "server" not in response.headers


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, '"'])
def test_request_ids_are_checked(api: httpx.Client, given: str) -> None:
    answered = api.get("/nowhere", headers={"X-Request-Id": given}).headers["X-Request-Id"]
    assert answered != given
    assert len(answered) == 32
