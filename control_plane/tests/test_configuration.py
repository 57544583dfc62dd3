"""What processes say of their configuration: enough to compare, not enough to know."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from gpuaas import tracing
from gpuaas.configuration import describe, secret_digest, setting_digest
from gpuaas.encryption.start import of_api, of_web
from gpuaas.secrets import Used
from gpuaas.settings import ApiSecrets, ApiSettings, WebSecrets, WebSettings, read_settings
from support.browser import Browser
from support.issuer import Issuer

SECRETS = ApiSecrets(database_password="hunter2-database", redis_password="hunter2-redis")
SALT = "00" * 16
FROM_FILES = Used("files", ("database_password", "redis_password"))


def described(environ: dict[str, str]) -> dict[str, Any]:
    settings = read_settings(ApiSettings, environ)
    return describe("api", settings, SECRETS, environ, of_api(settings), FROM_FILES)


def test_names_types_and_digests_only(environment: dict[str, str]) -> None:
    document = described(environment)
    port = environment["GPUAAS_REDIS_PORT"]
    assert document["settings"]["GPUAAS_REDIS_PORT"] == {
        "type": "port",
        "hmac_sha256": setting_digest("GPUAAS_REDIS_PORT", port, document["salt"]),
    }
    assert document["settings"]["GPUAAS_SECRETS_SOURCE"]["type"] == "url"
    assert sorted(document["secrets"]) == ["database_password", "redis_password"]
    assert document.pop("secrets_from")["provider"] == "files"
    assert document.pop("security")["mode"] == environment["GPUAAS_SECURITY_MODE"]
    for value in (*environment.values(), "hunter2"):
        assert len(value) < 4 or value not in str(document)


def test_a_secrets_digest_is_of_its_name_its_value_and_the_salt() -> None:
    digest = secret_digest("redis_password", "hunter2", SALT)
    assert (
        digest
        == hmac.new(
            b"hunter2", b"gpuaas-configuration-v2\0redis_password\0" + SALT.encode(), hashlib.sha256
        ).hexdigest()
    )
    assert digest != secret_digest("database_password", "hunter2", SALT)
    assert digest != secret_digest("redis_password", "hunter3", SALT)
    assert digest != secret_digest("redis_password", "hunter2", "11" * 16)


def test_no_two_starts_tell_the_same(environment: dict[str, str]) -> None:
    first, second = (described(environment) for _round in range(2))
    told = [
        {item["hmac_sha256"] for part in ("settings", "secrets") for item in document[part].values()}
        for document in (first, second)
    ]
    assert len(told[0]) == len(first["settings"]) + len(first["secrets"])
    assert not told[0] & told[1]


def test_where_spans_are_sent_is_told_where_they_are(environment: dict[str, str]) -> None:
    assert tracing.ENDPOINT not in described(environment)["settings"]
    told = described({**environment, tracing.ENDPOINT: "http://traces:4318"})
    assert told["settings"][tracing.ENDPOINT]["type"] == "url"
    assert tracing.ENDPOINT not in told["unread"]


def test_names_that_nobody_reads(environment: dict[str, str]) -> None:
    api_only = {name: value for name, value in environment.items() if "WEB" not in name and "API" not in name}
    changed = {**api_only, "GPUAAS_REDISPORT": "1", "HOME": "/"}
    assert described(changed)["unread"] == [
        "GPUAAS_OIDC_CLIENT_ID",
        "GPUAAS_REDISPORT",
        "GPUAAS_SESSION_SECONDS",
    ]


def test_the_digests_are_those_that_validate_computes() -> None:
    """The same vectors as in the tests of the collection's check type process_configuration."""
    assert secret_digest("redis_password", "correct horse", SALT) == (
        "ccf5a99d232100916f00d18dbc21d6f574d493b6cb51b8253999f1e95996aa8a"
    )
    assert setting_digest("GPUAAS_REDIS_PORT", "6379", SALT) == (
        "b867ea9707fdc5cbec233f62766fae696c9f73c3ac6964e286aa8260f11b4032"
    )


# -- the web console's ------------------------------------------------------


@pytest.fixture
def web(environment: dict[str, str], api: httpx.Client, start_web: Callable[..., str]) -> str:
    return start_web()


def ask(web: str, token: str) -> httpx.Response:
    return httpx.get(f"{web}/configuration", headers={"Authorization": f"Bearer {token}"}, trust_env=False)


def test_who_runs_the_platform_sees_the_webs(web: str, issuer: Issuer, environment: dict[str, str]) -> None:
    answer = ask(web, issuer.token(roles=["platform"]))
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    document = answer.json()
    assert document["service"] == "web"
    assert sorted(document) == [
        "salt",
        "secrets",
        "secrets_from",
        "security",
        "service",
        "settings",
        "unread",
        "version",
    ]
    assert len(document["settings"]) == 16
    assert sorted(document["secrets"]) == ["oidc_client_secret", "redis_password", "session_key"]
    assert environment["GPUAAS_WEB_URL"] not in answer.text


@pytest.mark.parametrize(
    ("claims", "status", "code"),
    [
        ({"roles": ["viewer"]}, 403, "forbidden"),
        ({"roles": ["operator"]}, 403, "forbidden"),
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
    settings = read_settings(WebSettings, environment)
    document = describe("web", settings, secrets, environment, of_web(settings), FROM_FILES)
    assert sorted(document["secrets"]) == ["oidc_client_secret", "redis_password", "session_key"]
