"""Tokens are renewed once for all, and only a refused grant ends a session."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import redis

from support import sealed
from support.browser import Browser, Forms
from support.courier import Courier
from support.issuer import Issuer
from support.processes import wait_for
from support.sealed import sessions_of


def test_tokens_are_renewed_once_for_all(browser: Browser, api: httpx.Client, issuer: Issuer) -> None:
    """The refresh token is good for one use: eight pages at once must not spend it twice."""
    issuer.access_seconds = 5
    browser.get("/auth/login")
    issuer.access_seconds = 300
    issuer.token_requests.clear()
    with ThreadPoolExecutor(8) as threads:
        pages = list(threads.map(lambda _: browser.get("/"), range(8)))
    assert [page.status_code for page in pages] == [200] * 8
    assert all("user" in Forms(page.text).test_ids for page in pages)
    assert [form["grant_type"] for form in issuer.token_requests] == ["refresh_token"]


def test_a_lost_answer_to_a_renewal_does_not_end_the_session(
    browser: Browser, api: httpx.Client, issuer: Issuer
) -> None:
    issuer.access_seconds = 0
    browser.request("GET", browser.callback())
    issuer.access_seconds, issuer.loses = 300, True
    assert browser.get("/").status_code == 503
    assert "user" in Forms(browser.get("/").text).test_ids
    first, second = (form["refresh_token"] for form in issuer.token_requests if form["grant_type"] == "refresh_token")
    assert first == second


def test_a_refused_renewal_ends_the_session(browser: Browser, api: httpx.Client, issuer: Issuer) -> None:
    issuer.access_seconds = 5
    browser.get("/auth/login")
    issuer.refresh_tokens.clear()
    assert "Your session has ended" in browser.get("/").text
    assert "Log in" in browser.get("/").text


@pytest.mark.parametrize("error", ["invalid_client", "unauthorized_client", "temporarily_unavailable"])
def test_only_a_refused_grant_ends_a_session(browser: Browser, api: httpx.Client, issuer: Issuer, error: str) -> None:
    issuer.access_seconds = 0
    browser.request("GET", browser.callback())
    issuer.refuses = error
    page = browser.get("/")
    assert (page.status_code, "identity provider does not answer" in page.text) == (503, True)
    issuer.refuses, issuer.access_seconds = "", 300
    assert "user" in Forms(browser.get("/").text).test_ids


def test_a_renewal_does_not_bring_back_a_session_that_was_ended(
    browser: Browser,
    api: httpx.Client,
    issuer: Issuer,
    open_browser: Callable[[str], Browser],
    redis_client: redis.Redis,
) -> None:
    issuer.access_seconds = 15
    page = browser.get("/auth/login")
    tab = open_browser(browser.url)
    tab.cookies.update(browser.cookies)
    issuer.token_requests.clear()
    issuer.held = True
    with ThreadPoolExecutor(1) as threads:
        renewing = threads.submit(tab.get, "/")
        wait_for(lambda: bool(issuer.token_requests), "the renewal")
        browser.submit(page, "/auth/logout")
        assert sessions_of(redis_client) == []
        issuer.held = False
        assert "Your session has ended" in renewing.result().text
    assert sessions_of(redis_client) == []


def test_while_one_page_renews_the_others_go_on(browser: Browser, api: httpx.Client, issuer: Issuer) -> None:
    issuer.access_seconds = 15
    browser.get("/auth/login")
    issuer.token_requests.clear()
    issuer.held = True
    with ThreadPoolExecutor(1) as threads:
        renewing = threads.submit(browser.get, "/")
        wait_for(lambda: bool(issuer.token_requests), "the renewal")
        assert "user" in Forms(browser.get("/").text).test_ids
        assert not renewing.done()
        issuer.held = False
        assert renewing.result().status_code == 200


def test_a_token_that_still_works_outlives_the_issuer(browser: Browser, api: httpx.Client, issuer: Issuer) -> None:
    issuer.access_seconds = 10
    browser.get("/auth/login")
    issuer.down = True
    assert browser.get("/").status_code == 200


def test_expired_token_and_no_issuer(browser: Browser, api: httpx.Client, issuer: Issuer) -> None:
    issuer.access_seconds = 0
    began = time.monotonic()
    callback = browser.callback()
    browser.request("GET", callback)
    issuer.down = True
    assert browser.get("/").status_code == 503
    assert time.monotonic() - began < 10


def test_api_that_refuses_every_token(
    browser: Browser, start_api: Callable[..., httpx.Client], issuer: Issuer, redis_client: redis.Redis
) -> None:
    start_api(GPUAAS_OIDC_AUDIENCE="another")
    page = browser.get("/auth/login")
    assert (page.status_code, "does not accept your log-in" in page.text) == (502, True)
    assert [form["grant_type"] for form in issuer.token_requests] == ["authorization_code", "refresh_token"]
    assert len(sessions_of(redis_client)) == 1


def test_a_token_that_the_api_refuses_is_renewed_first(
    start_web: Callable[..., str],
    courier: tuple[Courier, str],
    open_browser: Callable[[str], Browser],
    issuer: Issuer,
    redis_client: redis.Redis,
) -> None:
    """As after a restore of the provider, or a rotation of its keys."""
    between, url = courier
    browser = open_browser(start_web(GPUAAS_API_URL=url))
    page = browser.get("/auth/login")
    issuer.token_requests.clear()
    (key,) = sessions_of(redis_client)
    between.refuses = sealed.read(redis_client, key)["session"]["access_token"]
    page = browser.submit(page, "/instances", name="after", gpu_type="H100", gpu_count="1")
    assert "Instance after is requested." in page.text
    assert [form["grant_type"] for form in issuer.token_requests] == ["refresh_token"]
