"""The identity provider as a stranger and as a thief meet it."""

from __future__ import annotations

import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote_plus

import httpx
import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.oidc import Client, Credentials, claims, code_flow
from ansible_collections.gpuaas.parity.plugins.module_utils._net import loopback

from .running import Object, Running

SECONDS = 10
# A page and two documents that Keycloak has for whoever asks, and what of each says that it came from there.
CONSOLE, MASTER = "admin/master/console/", "realms/master/.well-known/openid-configuration"
FROM_KEYCLOAK = b'"authorization_endpoint"', b"authServerUrl", b"authUrl"
# Ways around a rule for a path: dots, plain and encoded, matrix parameters, doubled and backward slashes, other case.
WAYS = ("/", "//", "/./", "/realms/gpuaas/../../", "/realms/gpuaas/%2e%2e/%2e%2e/", "/realms/gpuaas/..%2f..%2f", "/realms/gpuaas/..;/..;/")
MORE_WAYS = ("/resources/../", "/resources/..\\", "/resources/%2e%2e%5c", "/realms/gpuaas/%252e%252e/%252e%252e/", "/;x=y/", "/%2f/")


@pytest.fixture(scope="module")
def http(running: Running) -> Any:
    with loopback.client(running.state_dir / "tls" / "ca.crt", timeout=SECONDS) as client:
        yield client


def realm_of(running: Running) -> Object:
    endpoints = running.contract["endpoints"]
    return {name: f"{endpoints[name]['url']}/realms/{realm}" for name, realm in (("auth", "gpuaas"), ("auth-admin", "master"))}


def answer(running: Running, target: str) -> tuple[int, bytes]:
    """Status and all of the answer of the public name to exactly this request target: a client would tidy it up."""
    endpoint = running.contract["endpoints"]["auth"]
    context = loopback.tls_context(running.state_dir / "tls" / "ca.crt")
    request = f"GET {target} HTTP/1.1\r\nHost: {endpoint['host']}:{endpoint['port']}\r\nConnection: close\r\n\r\n"
    with (
        socket.create_connection(("127.0.0.1", endpoint["port"]), SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=endpoint["host"]) as tls,
    ):
        tls.sendall(request.encode())
        received = b"".join(iter(lambda: tls.recv(65536), b""))
    return int(received.split(b" ", 2)[1]), received


@pytest.mark.parametrize("path", [CONSOLE, MASTER])
@pytest.mark.parametrize("way", [*WAYS, *MORE_WAYS])
def test_administration_is_not_on_the_public_name(running: Running, way: str, path: str) -> None:
    try:
        status, received = answer(running, way + path)
    except ssl.SSLEOFError:
        return
    assert not any(word in received for word in FROM_KEYCLOAK), received[:300]
    assert status in (400, 404), received[:300]


def test_administrators_have_a_name_of_their_own(running: Running, http: httpx.Client) -> None:
    """The console leads nowhere else: neither its log-in nor what it asks."""
    own = running.contract["endpoints"]["auth-admin"]["url"]
    page = http.get(f"{own}/{CONSOLE}")
    assert page.status_code == 200
    assert running.contract["endpoints"]["auth"]["host"] not in page.text
    metadata = http.get(f"{own}/{MASTER}").json()
    assert {url.split("/realms/")[0] for name, url in metadata.items() if name.endswith("_endpoint") or name == "issuer"} == {own}


def test_nobody_trades_a_password_for_a_token(running: Running, http: httpx.Client) -> None:
    password = (running.state_dir / "secrets" / "secrets.yml").read_text(encoding="utf-8")
    (alice,) = (line.split(":", 1)[1].strip().strip('"') for line in password.splitlines() if line.startswith("user_alice_password:"))
    form = {"grant_type": "password", "client_id": "admin-cli", "username": "alice", "password": alice}
    refused = http.post(f"{realm_of(running)['auth']}/protocol/openid-connect/token", data=form)
    assert refused.status_code in (400, 401), refused.text
    assert "access_token" not in refused.json()


class Renewing:
    """Somebody who logged in through the web console, and renews tokens as it does."""

    def __init__(self, running: Running, http: httpx.Client) -> None:
        self.http, self.issuer = http, realm_of(running)["auth"]
        secrets = running.state_dir / "secrets"
        secret = (secrets / "files" / "web" / "oidc_client_secret").read_text(encoding="utf-8").strip()
        values = dict(line.split(": ", 1) for line in (secrets / "secrets.yml").read_text(encoding="utf-8").splitlines() if ": " in line)
        self.client = Client("gpuaas-web", secret, f"{running.contract['endpoints']['web']['url']}/auth/callback")
        alice = Credentials("alice", values["user_alice_password"].strip('"'))
        with loopback.client(running.state_dir / "tls" / "ca.crt", timeout=SECONDS) as browser:
            self.first = str(code_flow(browser, self.issuer, self.client, alice)["refresh_token"])

    def renew(self, refresh_token: str) -> httpx.Response:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        credentials = quote_plus(self.client.id), quote_plus(self.client.secret)
        return self.http.post(f"{self.issuer}/protocol/openid-connect/token", data=form, auth=credentials)


@pytest.fixture
def renewing(running: Running, http: httpx.Client) -> Renewing:
    return Renewing(running, http)


def test_a_refresh_token_survives_one_lost_answer_and_no_more(renewing: Renewing) -> None:
    lost = renewing.renew(renewing.first)
    again = renewing.renew(renewing.first)
    assert (lost.status_code, again.status_code) == (200, 200), again.text
    assert len({renewing.first, lost.json()["refresh_token"], again.json()["refresh_token"]}) == 3
    third = renewing.renew(renewing.first)
    assert (third.status_code, third.json()["error"]) == (400, "invalid_grant")


def test_a_stolen_refresh_token_ends_the_session_of_thief_and_owner(renewing: Renewing) -> None:
    used, latest = renewing.first, renewing.renew(renewing.first).json()["refresh_token"]
    # Keycloak counts in seconds: what is as old as the latest use is not seen as used before it.
    while claims(latest)["iat"] <= claims(renewing.first)["iat"] + 1:
        used, latest = latest, renewing.renew(latest).json()["refresh_token"]
    assert used != renewing.first
    stolen = renewing.renew(renewing.first)
    assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_grant")
    assert renewing.renew(latest).json()["error"] == "invalid_grant"


def test_no_crowd_takes_more_connections_than_the_pool_has(running: Running, http: httpx.Client) -> None:
    """Each stranger has to be looked for in the database, which has connections for others too."""
    bound = int(running.contract["services"]["keycloak"]["settings"]["KC_DB_POOL_MAX_SIZE"])
    url = f"{realm_of(running)['auth']}/protocol/openid-connect/token"

    def ask(number: int) -> int:
        return http.post(url, data={"grant_type": "client_credentials"}, auth=(f"stranger-{number}-{bound}", "guess")).status_code

    with ThreadPoolExecutor(4 * bound) as crowd:
        assert set(crowd.map(ask, range(8 * bound))) <= {401, 429}
    assert 0 < int(running.sql("SELECT count(*) FROM pg_stat_activity WHERE usename = 'keycloak'")) <= bound


def test_keycloak_holds_no_secret_in_its_environment_or_arguments(running: Running) -> None:
    argv = "exec --namespace=gpuaas-identity deployment/keycloak -- bash -c 'cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline'"
    seen = running.host.check_output(f"{running.kubectl_program} {argv}")
    assert "KC_DB_URL=" in seen and "org.keycloak" in seen
    assert running.leaks(seen) == []
