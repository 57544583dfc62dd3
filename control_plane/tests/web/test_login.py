"""Logging in by the code flow: what is asked, what comes back once, and from whom."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import redis

from support.browser import Browser, Forms
from support.issuer import CLIENT_ID, Issuer
from support.sealed import sessions_of


def query(response: httpx.Response) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(response.headers["Location"]).query).items()}


def test_authorization_request(browser: Browser) -> None:
    asked = [query(browser.request("GET", "/auth/login")) for _round in range(2)]
    assert asked[0]["client_id"] == CLIENT_ID
    assert asked[0]["redirect_uri"] == f"{browser.url}/auth/callback"
    assert asked[0]["response_type"] == "code"
    assert asked[0]["code_challenge_method"] == "S256"
    assert "openid" in asked[0]["scope"].split()
    for name in ("state", "nonce", "code_challenge"):
        assert asked[0][name] != asked[1][name]
        assert len(asked[0][name]) >= 43


def test_a_log_in_that_was_begun_costs_the_server_nothing(browser: Browser, redis_client: redis.Redis) -> None:
    for _round in range(20):
        assert browser.request("GET", "/auth/login").status_code == 303
    assert list(redis_client.scan_iter()) == []
    # Nor the browser without end.
    assert len(browser.cookies) == 5
    for value in browser.cookies.values():
        assert "verifier" not in value
    for attributes in browser.attributes.values():
        assert {"httponly", "secure", "samesite=lax", "path=/"} <= set(attributes.lower().replace(" ", "").split(";"))


def test_tabs_log_in_beside_each_other(browser: Browser, api: httpx.Client) -> None:
    first, second = browser.callback(), browser.callback()
    assert browser.get(first).status_code == 200
    assert browser.get(second).status_code == 200


def test_an_attempt_ends(browser: Browser, issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also for a browser that does not forget it."""
    monkeypatch.setattr("gpuaas.web.attempts.ATTEMPT_SECONDS", 0)
    begun = browser.request("GET", "/auth/login")
    name, _separator, rest = begun.headers["Set-Cookie"].partition("=")
    browser.cookies[name] = rest.partition(";")[0]
    callback = browser.request("GET", begun.headers["Location"]).headers["Location"]
    assert browser.get(callback).status_code == 400
    assert issuer.token_requests == []


def test_nobody_keeps_an_answer_that_sets_a_cookie(browser: Browser, api: httpx.Client) -> None:
    begun = browser.request("GET", "/auth/login")
    back = browser.request("GET", browser.request("GET", begun.headers["Location"]).headers["Location"])
    page = browser.get("/")
    form = Forms(page.text).forms["/auth/logout"]
    out = browser.request("POST", "/auth/logout", form, Origin=browser.url)
    for answer in (begun, back, out):
        assert "set-cookie" in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"


def test_state_of_another_browser_is_refused(
    browser: Browser, web: str, open_browser: Callable[[str], Browser], issuer: Issuer
) -> None:
    owner = open_browser(web)
    stolen = owner.callback()
    assert browser.get(stolen).status_code == 400
    browser.request("GET", "/auth/login")
    assert browser.get(stolen).status_code == 400
    # An attempt of one's own is none for another state, whatever its cookie is called.
    (own,) = browser.cookies.values()
    (name,) = owner.cookies
    browser.cookies[name] = own
    assert browser.get(stolen).status_code == 400
    assert "__Host-session" not in browser.cookies
    assert issuer.token_requests == []
    # Nobody else's try has used it up.
    assert owner.request("GET", stolen).headers["Location"] == "/"
    assert "__Host-session" in owner.cookies


def test_a_state_comes_back_once(browser: Browser, api: httpx.Client, issuer: Issuer) -> None:
    """Also with all its cookies, and with a code that the issuer would take."""
    location = browser.request("GET", "/auth/login").headers["Location"]
    kept = dict(browser.cookies)
    first, second = (str(browser.request("GET", location).headers["Location"]) for _round in range(2))
    assert first != second
    assert browser.request("GET", first).headers["Location"] == "/"
    exchanges = len(issuer.token_requests)
    browser.cookies.clear()
    browser.cookies.update(kept)
    assert browser.request("GET", second).status_code == 400
    assert len(issuer.token_requests) == exchanges


@pytest.mark.parametrize("change", ["state=x&code=y", "code=y", ""])
def test_made_up_callbacks_are_refused(browser: Browser, change: str, issuer: Issuer) -> None:
    browser.request("GET", "/auth/login")
    assert browser.get(f"/auth/callback?{change}").status_code == 400
    assert issuer.token_requests == []


def test_a_callback_works_once(browser: Browser, api: httpx.Client, issuer: Issuer) -> None:
    address = browser.callback()
    assert browser.get(address).status_code == 200
    exchanges = len(issuer.token_requests)
    again = browser.request("GET", address)
    assert (again.status_code, again.headers["Location"]) == (303, "/")
    browser.cookies.clear()
    assert browser.get(address).status_code == 400
    assert len(issuer.token_requests) == exchanges


def test_pkce_verifier_is_sent(browser: Browser, api: httpx.Client, issuer: Issuer) -> None:
    browser.get("/auth/login")
    assert len(issuer.token_requests[0]["code_verifier"]) >= 43


def test_answer_of_another_issuer_is_refused(browser: Browser, issuer: Issuer) -> None:
    address = browser.callback()
    mixed_up = address.replace("iss=", "iss=x")
    assert browser.get(mixed_up).status_code == 400
    without = browser.callback().partition("&iss=")[0]
    assert browser.get(without).status_code == 400
    assert issuer.token_requests == []


@pytest.mark.parametrize(
    "claims", [{"nonce": "another"}, {"nonce": None}, {"aud": "other"}, {"azp": "other"}, {"iss": "x"}, {"exp": 1}]
)
def test_identity_token_is_checked(browser: Browser, issuer: Issuer, claims: dict[str, object]) -> None:
    issuer.id_token_claims = claims
    page = browser.get("/auth/login")
    assert page.status_code == 400
    assert "You are not logged in" in page.text
    assert "__Host-session" not in browser.cookies


@pytest.mark.parametrize("answer", [{"access_token": ""}, {"access_token": 7}, {"id_token": ""}, {"id_token": None}])
def test_a_token_answer_without_its_tokens_logs_nobody_in(
    browser: Browser, issuer: Issuer, answer: dict[str, object]
) -> None:
    issuer.token_answer = answer
    page = browser.get("/auth/login")
    assert (page.status_code, "You are not logged in" in page.text) == (400, True)
    assert "__Host-session" not in browser.cookies


def test_an_issuer_that_fails_refuses_nobody(browser: Browser, api: httpx.Client, issuer: Issuer) -> None:
    issuer.fails = 500
    page = browser.get("/auth/login")
    assert (page.status_code, "identity provider does not answer" in page.text) == (503, True)


def test_refusal_by_the_issuer(browser: Browser) -> None:
    state = query(browser.request("GET", "/auth/login"))["state"]
    page = browser.get(f"/auth/callback?error=access_denied&error_description=%3Cb%3E&state={state}")
    assert page.status_code == 400
    assert "<b>" not in page.text


def test_a_new_log_in_ends_the_session_before(
    browser: Browser, api: httpx.Client, open_browser: Callable[[str], Browser], redis_client: redis.Redis
) -> None:
    browser.get("/auth/login")
    kept = dict(browser.cookies)
    browser.get("/auth/login")
    assert len(sessions_of(redis_client)) == 1
    before = open_browser(browser.url)
    before.cookies.update(kept)
    assert "Your session has ended" in before.get("/").text
    assert "user" in Forms(browser.get("/").text).test_ids
