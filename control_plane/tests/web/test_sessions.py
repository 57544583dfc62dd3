"""A session: what the browser and Redis have of it, and what is none."""

from __future__ import annotations

import json

import httpx
import pytest
import redis

from support import sealed
from support.browser import Browser, Forms
from support.issuer import Issuer
from support.sealed import sessions_of


def test_no_token_reaches_the_browser(
    browser: Browser, api: httpx.Client, issuer: Issuer, redis_client: redis.Redis
) -> None:
    page = browser.get("/auth/login")
    assert "eyJ" not in page.text
    assert "eyJ" not in "".join(browser.cookies.values())
    (session_id,) = [value.rsplit(".", 1)[0] for value in browser.cookies.values()]
    (key,) = sessions_of(redis_client)
    assert not any(word in str(redis_client.get(key)) for word in ("eyJ", "alice", "token"))
    assert sealed.read(redis_client, key)["session"]["access_token"].startswith("eyJ")
    assert not any(session_id in str(key) for key in redis_client.scan_iter())
    attributes = browser.attributes["__Host-session"].lower()
    for attribute in ("httponly", "secure", "samesite=lax", "path=/", "max-age=600"):
        assert attribute in attributes
    assert "domain" not in attributes
    (stored,) = [key for key in redis_client.scan_iter() if str(key).startswith("session:")]
    assert 0 < int(str(redis_client.ttl(stored))) <= 600


@pytest.mark.parametrize("value", ["", "x", "x.y", "a" * 43 + "." + "b" * 43])
def test_unsigned_cookies_are_ended_sessions(browser: Browser, value: str) -> None:
    browser.cookies["__Host-session"] = value
    page = browser.get("/")
    assert (page.status_code, "Your session has ended" in page.text) == (200, True)
    assert "__Host-session" not in browser.cookies


def test_session_key_signs(browser: Browser, api: httpx.Client) -> None:
    browser.get("/auth/login")
    identity, _separator, signature = browser.cookies["__Host-session"].rpartition(".")
    browser.cookies["__Host-session"] = f"{identity}.{signature[::-1]}"
    assert "Your session has ended" in browser.get("/").text


def test_session_that_redis_lost(browser: Browser, api: httpx.Client, redis_client: redis.Redis) -> None:
    page = browser.get("/auth/login")
    redis_client.flushall()
    response = browser.submit(page, "/instances", name="a")
    assert response.status_code == 401
    assert "Your session has ended" in response.text
    assert "login" in Forms(response.text).test_ids


@pytest.mark.parametrize("change", ["version", "key", "plain", "another's"])
def test_a_session_that_cannot_be_read_is_a_log_in(
    browser: Browser, api: httpx.Client, redis_client: redis.Redis, change: str
) -> None:
    browser.get("/auth/login")
    (key,) = sessions_of(redis_client)
    document = sealed.read(redis_client, key)
    match change:
        case "version":
            sealed.write(redis_client, key, {"version": 1, "session": {"fields": "of another time"}})
        case "key":
            sealed.write(redis_client, key, document, secret=b"k" * 32)
        case "plain":
            redis_client.set(key, json.dumps(document), keepttl=True)
        case _:
            sealed.write(redis_client, key, document, context="session:another")
    page = browser.get("/")
    assert (page.status_code, "Your session has ended" in page.text) == (200, True)
    assert "login" in Forms(page.text).test_ids
