"""What processes say of their configuration: enough to compare, not enough to know."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from gpuaas.configuration import describe, secret_digest
from gpuaas.settings import ApiSecrets, ApiSettings, WebSecrets, WebSettings, read_settings
from support.browser import Browser
from support.issuer import Issuer

SECRETS = ApiSecrets(database_password="hunter2-database", redis_password="hunter2-redis")


def described(environ: dict[str, str]) -> dict[str, object]:
    return describe("api", read_settings(ApiSettings, environ), SECRETS, environ)


def test_names_types_and_digests_only(environment: dict[str, str]) -> None:
    document = describe("api", read_settings(ApiSettings, environment), SECRETS, environment)
    port = environment["GPUAAS_REDIS_PORT"]
    assert document["settings"]["GPUAAS_REDIS_PORT"] == {
        "type": "port",
        "sha256": hashlib.sha256(port.encode()).hexdigest(),
    }
    assert document["settings"]["GPUAAS_SECRETS_SOURCE"]["type"] == "url"
    assert sorted(document["secrets"]) == ["database_password", "redis_password"]
    for value in (*environment.values(), "hunter2"):
        assert len(value) < 4 or value not in str(document)


def test_a_secrets_digest_is_of_its_name_and_value_and_not_the_bare_hash() -> None:
    value = "hunter2"
    digest = secret_digest("redis_password", value)
    assert digest == hmac.new(b"hunter2", b"gpuaas-configuration-v1\0redis_password", hashlib.sha256).hexdigest()
    assert digest != secret_digest("database_password", value)
    assert digest != secret_digest("redis_password", "hunter3")
    assert digest != hashlib.sha256(value.encode()).hexdigest()


def test_names_that_nobody_reads(environment: dict[str, str]) -> None:
    api_only = {name: value for name, value in environment.items() if "WEB" not in name and "API" not in name}
    changed = {**api_only, "GPUAAS_REDISPORT": "1", "HOME": "/"}
    assert describe("api", read_settings(ApiSettings, changed), SECRETS, changed)["unread"] == [
        "GPUAAS_OIDC_CLIENT_ID",
        "GPUAAS_REDISPORT",
        "GPUAAS_SESSION_SECONDS",
    ]


def test_the_digest_is_the_one_that_validate_computes() -> None:
    """The same vector as in the tests of the collection's check kind process_configuration."""
    assert secret_digest("redis_password", "correct horse") == (
        "4a662fb383cf5bb8430aedf82a9b9570bb61c120d08369b53529060d3285f269"
    )


# -- the web console's ------------------------------------------------------


@pytest.fixture
def web(environment: dict[str, str], api: httpx.Client, start_web: Callable[..., str]) -> str:
    return start_web()


def ask(web: str, token: str) -> httpx.Response:
    return httpx.get(f"{web}/configuration", headers={"Authorization": f"Bearer {token}"}, trust_env=False)


def test_an_operator_sees_the_webs(web: str, issuer: Issuer, environment: dict[str, str]) -> None:
    answer = ask(web, issuer.token())
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    document = answer.json()
    assert document["service"] == "web"
    assert sorted(document) == ["secrets", "service", "settings", "unread", "version"]
    assert len(document["settings"]) == 14
    assert sorted(document["secrets"]) == ["oidc_client_secret", "redis_password", "session_key"]
    assert environment["GPUAAS_WEB_URL"] not in answer.text


@pytest.mark.parametrize(
    ("claims", "status", "code"),
    [
        ({"roles": ["viewer"]}, 403, "forbidden"),
        ({"roles": []}, 403, "forbidden"),
        ({"aud": "another"}, 401, "token_audience"),
        ({"exp": 1}, 401, "token_expired"),
        ({"iss": "https://elsewhere"}, 401, "token_issuer"),
    ],
)
def test_who_may_not(web: str, issuer: Issuer, claims: dict[str, Any], status: int, code: str) -> None:
    answer = ask(web, issuer.token(**claims))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)
    assert "settings" not in answer.text


@pytest.mark.parametrize("header", [None, "Bearer", "Basic eDp5", "Bearer x.y.z", "Bearer \xe9", "Bearer a\tb"])
def test_without_a_token(web: str, header: str | None) -> None:
    headers = [(b"Authorization", header.encode("latin-1"))] if header is not None else []
    answer = httpx.get(f"{web}/configuration", headers=headers, trust_env=False)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="gpuaas"')
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_session_is_no_token(web: str) -> None:
    browser = Browser(web)
    assert browser.get("/auth/login").status_code == 200
    assert browser.request("GET", "/configuration").status_code == 401
    browser.close()


def test_without_the_api_nobody_is_told(start_web: Callable[..., str], issuer: Issuer) -> None:
    answer = ask(start_web(), issuer.token())
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


def test_the_halves_have_different_secrets(environment: dict[str, str]) -> None:
    secrets = WebSecrets(redis_password="r", oidc_client_secret="o", session_key="s")
    document = describe("web", read_settings(WebSettings, environment), secrets, environment)
    assert list(document["secrets"]) == ["redis_password", "oidc_client_secret", "session_key"]
