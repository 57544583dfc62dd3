"""Logging out ends the session here and at the provider, also while that is away."""

from __future__ import annotations

import httpx
import pytest
import redis

from support import sealed
from support.browser import Browser, Forms
from support.issuer import Issuer
from support.sealed import sessions_of


@pytest.mark.parametrize("status", [500, 503])
def test_logging_out_works_without_the_issuer(browser: Browser, api: httpx.Client, issuer: Issuer, status: int) -> None:
    page = browser.get("/auth/login")
    kept = dict(browser.cookies)
    issuer.fails = status
    response = browser.submit(page, "/auth/logout")
    assert (response.status_code, "Logged out here" in response.text) == (503, True)
    assert "its own session may last" in response.text
    assert browser.cookies == {}
    browser.cookies.update(kept)
    assert "Your session has ended" in browser.get("/").text


def test_logging_out_needs_no_token_that_is_good(
    browser: Browser, api: httpx.Client, issuer: Issuer, redis_client: redis.Redis
) -> None:
    page = browser.get("/auth/login")
    (key,) = sessions_of(redis_client)
    document = sealed.read(redis_client, key)
    sealed.write(redis_client, key, {**document, "session": {**document["session"], "expires_at": 0}})
    issuer.down = True
    assert "Logged out here" in browser.submit(page, "/auth/logout").text
    assert sessions_of(redis_client) == []


def test_logging_out_ends_the_session_on_the_server_and_at_the_provider(
    browser: Browser, api: httpx.Client, issuer: Issuer, redis_client: redis.Redis
) -> None:
    page = browser.get("/auth/login")
    kept = dict(browser.cookies)
    response = browser.request("POST", "/auth/logout", Forms(page.text).forms["/auth/logout"], Origin=browser.url)
    assert (response.status_code, response.headers["Location"]) == (303, "/")
    assert issuer.refresh_tokens == set()
    assert sessions_of(redis_client) == []
    browser.cookies.update(kept)
    assert "Your session has ended" in browser.get("/").text


def test_a_session_that_is_over_at_the_provider_can_be_left(
    browser: Browser, api: httpx.Client, issuer: Issuer
) -> None:
    page = browser.get("/auth/login")
    issuer.refresh_tokens.clear()
    assert "login" in Forms(browser.submit(page, "/auth/logout").text).test_ids
    assert browser.cookies == {}
