"""The console from a browser's side, with a real API, real stores and a real code flow."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg
import pytest
import redis

from gpuaas.settings import ConfigurationError, WebSettings, read_settings
from support import sealed
from support.browser import Browser, Forms
from support.courier import Courier
from support.issuer import CLIENT_ID, Issuer
from support.processes import free_port, wait_for
from support.sealed import sessions_of
from support.serving import served

type Probe = Callable[[str, str], httpx.Response]


@pytest.fixture
def web(start_web: Callable[..., str]) -> str:
    return start_web()


@pytest.fixture
def open_browser() -> Iterator[Callable[[str], Browser]]:
    with ExitStack() as stack:
        yield lambda url: stack.enter_context(closing(Browser(url)))


@pytest.fixture
def browser(web: str, open_browser: Callable[[str], Browser]) -> Browser:
    return open_browser(web)


def query(response: httpx.Response) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(response.headers["Location"]).query).items()}


def delete_action(page: httpx.Response) -> str:
    (action,) = [action for action in Forms(page.text).forms if action.endswith("/delete")]
    return action


def test_landing_page(browser: Browser) -> None:
    page = browser.get("/")
    assert page.status_code == 200
    assert "login" in Forms(page.text).test_ids
    assert browser.cookies == {}
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "<script" not in page.text
    assert " style=" not in page.text
    assert page.headers["Cache-Control"] == "no-store"
    for path in ("/static/app.css", "/static/icon.svg"):
        assert browser.get(path).status_code == 200


def test_the_whole_way(browser: Browser, api: httpx.Client, issuer: Issuer, database: psycopg.Connection) -> None:
    page = browser.get("/auth/login")
    assert page.status_code == 200
    assert "alice" in page.text
    assert {"user", "logout", "create-form"} <= set(Forms(page.text).test_ids)
    page = browser.submit(page, "/instances", name="training-1", gpu_type="A100", gpu_count="2")
    assert "Instance training-1 is requested." in page.text
    assert "2 × A100" in page.text
    assert "is requested" not in browser.get("/").text
    page = browser.submit(page, delete_action(page))
    assert "The instance is deleted." in page.text
    assert "instance-row" not in Forms(page.text).test_ids
    events = database.execute("SELECT event_type FROM outbox ORDER BY id").fetchall()
    assert events == [("instance.requested",), ("instance.deleted",)]
    page = browser.submit(page, "/auth/logout")
    assert "login" in Forms(page.text).test_ids
    (logout,) = issuer.logouts
    assert list(logout) == ["refresh_token"]
    assert browser.cookies == {}


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
    first, second = callback_of(browser), callback_of(browser)
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


def callback_of(browser: Browser) -> str:
    """The address that the issuer sends the browser back to."""
    location = browser.request("GET", "/auth/login").headers["Location"]
    return str(browser.request("GET", location).headers["Location"])


def test_state_of_another_browser_is_refused(
    browser: Browser, web: str, open_browser: Callable[[str], Browser], issuer: Issuer
) -> None:
    owner = open_browser(web)
    stolen = callback_of(owner)
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
    address = callback_of(browser)
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
    address = callback_of(browser)
    mixed_up = address.replace("iss=", "iss=x")
    assert browser.get(mixed_up).status_code == 400
    without = callback_of(browser).partition("&iss=")[0]
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


def test_refusal_by_the_issuer(browser: Browser) -> None:
    state = query(browser.request("GET", "/auth/login"))["state"]
    page = browser.get(f"/auth/callback?error=access_denied&error_description=%3Cb%3E&state={state}")
    assert page.status_code == 400
    assert "<b>" not in page.text


@pytest.mark.parametrize("value", ["", "x", "x.y", "a" * 43 + "." + "b" * 43])
def test_unsigned_cookies_are_ended_sessions(browser: Browser, value: str) -> None:
    browser.cookies["__Host-session"] = value
    page = browser.get("/")
    assert (page.status_code, "Your session has ended" in page.text) == (200, True)
    assert "__Host-session" not in browser.cookies


def test_session_that_redis_lost(browser: Browser, api: httpx.Client, redis_client: redis.Redis) -> None:
    page = browser.get("/auth/login")
    redis_client.flushall()
    response = browser.submit(page, "/instances", name="a")
    assert response.status_code == 401
    assert "Your session has ended" in response.text
    assert "login" in Forms(response.text).test_ids


@pytest.mark.parametrize("action", ["/instances", "/auth/logout", "/instances/x/delete"])
@pytest.mark.parametrize("token", [None, "", "wrong"])
def test_forms_need_their_token(browser: Browser, api: httpx.Client, action: str, token: str | None) -> None:
    browser.get("/auth/login")
    form = {"name": "a", "gpu_type": "H100", "gpu_count": "1"} | ({} if token is None else {"csrf_token": token})
    response = browser.request("POST", action, form)
    assert response.status_code == 403
    assert "user" in Forms(browser.get("/").text).test_ids
    assert "instance-row" not in Forms(browser.get("/").text).test_ids


def test_forms_from_other_sites_are_refused(browser: Browser, api: httpx.Client) -> None:
    page = browser.get("/auth/login")
    form = Forms(page.text).forms["/auth/logout"]
    for origin in ("https://evil.example", "null"):
        assert browser.request("POST", "/auth/logout", form, Origin=origin).status_code == 403
    assert browser.request("GET", "/auth/logout").status_code == 405


def test_a_form_sent_twice_asks_once(browser: Browser, api: httpx.Client, database: psycopg.Connection) -> None:
    page = browser.get("/auth/login")
    for _round in range(2):
        browser.submit(page, "/instances", name="once", gpu_type="H100", gpu_count="1")
    assert database.execute("SELECT count(*) FROM instances").fetchone() == (1,)


@pytest.fixture
def courier(api: httpx.Client) -> Iterator[tuple[Courier, str]]:
    """Something between console and API, and its URL."""
    between = Courier(str(api.base_url).rstrip("/"))
    with served(between.app()) as url:
        yield between, url


@pytest.mark.parametrize(("loses", "stored"), [("request", 0), ("answer", 1)])
def test_a_lost_answer_shows_the_form_with_its_key(
    start_web: Callable[..., str],
    courier: tuple[Courier, str],
    open_browser: Callable[[str], Browser],
    database: psycopg.Connection,
    loses: str,
    stored: int,
) -> None:
    between, url = courier
    browser = open_browser(start_web(GPUAAS_API_URL=url))
    page = browser.get("/auth/login")
    sent = {"name": "once", "gpu_type": "A100", "gpu_count": "3"}
    key = Forms(page.text).forms["/instances"]["idempotency_key"]
    between.loses = loses
    page = browser.submit(page, "/instances", **sent)
    between.loses = ""
    assert database.execute("SELECT count(*) FROM instances").fetchone() == (stored,)
    assert page.status_code == 503
    assert page.headers["Retry-After"]
    form = Forms(page.text).forms["/instances"]
    assert (form["idempotency_key"], form["name"], form["project"]) == (key, "once", "alpha")
    assert "faults" in Forms(page.text).test_ids
    page = browser.submit(page, "/instances", **sent)
    assert "Instance once is requested." in page.text
    assert database.execute("SELECT name, gpu_type, gpu_count FROM instances").fetchall() == [("once", "A100", 3)]


def test_a_form_that_was_changed_after_a_lost_answer_has_a_new_key(browser: Browser, api: httpx.Client) -> None:
    page = browser.get("/auth/login")
    key = Forms(page.text).forms["/instances"]["idempotency_key"]
    browser.submit(page, "/instances", name="a", gpu_type="H100", gpu_count="1")
    page = browser.submit(page, "/instances", name="b", gpu_type="H100", gpu_count="1")
    assert page.status_code == 400
    assert Forms(page.text).forms["/instances"]["idempotency_key"] != key


def test_faulty_form_is_shown_again(browser: Browser, api: httpx.Client) -> None:
    page = browser.get("/auth/login")
    page = browser.submit(page, "/instances", name="Not <Valid>", gpu_type="TPU", gpu_count="many")
    assert page.status_code == 400
    assert "faults" in Forms(page.text).test_ids
    assert Forms(page.text).forms["/instances"]["name"] == "Not <Valid>"
    assert "<Valid>" not in page.text


def test_a_viewer_sees_no_forms_and_may_not_use_them(browser: Browser, api: httpx.Client, issuer: Issuer) -> None:
    issuer.user = {"roles": ["viewer"], "groups": ["/projects/alpha"], "preferred_username": "bob"}
    page = browser.get("/auth/login")
    assert "create-form" not in Forms(page.text).test_ids
    form = Forms(page.text).forms["/auth/logout"] | {"name": "a", "gpu_type": "H100", "gpu_count": "1"}
    form["idempotency_key"] = "00000000-0000-4000-8000-000000000000"
    assert browser.request("POST", "/instances", form).status_code == 403


@pytest.mark.parametrize(
    ("user", "says"),
    [
        ({"roles": ["operator"], "groups": []}, "no project"),
        ({"roles": [], "groups": ["/projects/a"]}, "neither the role"),
    ],
)
def test_users_without_rights_are_told(
    browser: Browser, api: httpx.Client, issuer: Issuer, user: dict[str, list[str]], says: str
) -> None:
    issuer.user = {**user, "preferred_username": "eve"}
    page = browser.get("/auth/login")
    assert (page.status_code, says in page.text) == (200, True)


def test_several_projects(browser: Browser, api: httpx.Client, issuer: Issuer) -> None:
    issuer.user["groups"] = ["/projects/alpha", "/projects/beta"]
    browser.get("/auth/login")
    page = browser.get("/?project=beta")
    page = browser.submit(page, "/instances", name="in-beta", gpu_type="H100", gpu_count="1")
    assert "in-beta" in page.text
    assert "in-beta" not in browser.get("/?project=alpha").text
    assert browser.get("/?project=not-mine").status_code == 200


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


def test_a_refused_renewal_ends_the_session(browser: Browser, api: httpx.Client, issuer: Issuer) -> None:
    issuer.access_seconds = 5
    browser.get("/auth/login")
    issuer.refresh_tokens.clear()
    assert "Your session has ended" in browser.get("/").text
    assert "Log in" in browser.get("/").text


@pytest.mark.parametrize("error", ["invalid_client", "unauthorized_client", "temporarily_unavailable"])
def test_only_a_refused_grant_ends_a_session(browser: Browser, api: httpx.Client, issuer: Issuer, error: str) -> None:
    issuer.access_seconds = 0
    browser.request("GET", callback_of(browser))
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


def test_identity_provider_away(browser: Browser, api: httpx.Client, issuer: Issuer) -> None:
    issuer.down = True
    page = browser.get("/auth/login")
    assert page.status_code == 503
    assert "identity provider does not answer" in page.text
    assert page.headers["Retry-After"]
    issuer.down = False
    wait_for(lambda: browser.get("/auth/login").status_code == 200, "the provider", 5)


def test_expired_token_and_no_issuer(browser: Browser, api: httpx.Client, issuer: Issuer) -> None:
    issuer.access_seconds = 0
    began = time.monotonic()
    callback = callback_of(browser)
    browser.request("GET", callback)
    issuer.down = True
    assert browser.get("/").status_code == 503
    assert time.monotonic() - began < 10


def test_logging_out_works_without_the_issuer(browser: Browser, api: httpx.Client, issuer: Issuer) -> None:
    page = browser.get("/auth/login")
    kept = dict(browser.cookies)
    issuer.down = True
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


def test_api_away(browser: Browser, redis_client: redis.Redis) -> None:
    page = browser.get("/auth/login")
    assert page.status_code == 503
    assert "The API does not answer" in page.text


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


def test_session_store_away(
    start_web: Callable[..., str], open_browser: Callable[[str], Browser], probe: Probe
) -> None:
    browser = open_browser(start_web(GPUAAS_REDIS_PORT=str(free_port())))
    assert probe(browser.url, "ready").status_code == 503
    assert probe(browser.url, "live").status_code == 200
    page = browser.get("/auth/login")
    assert (page.status_code, "session store" in page.text) == (503, True)


def test_unknown_pages(browser: Browser) -> None:
    page = browser.get("/nowhere")
    assert (page.status_code, "no such page" in page.text) == (404, True)


def test_session_key_signs(browser: Browser, api: httpx.Client) -> None:
    browser.get("/auth/login")
    identity, _separator, signature = browser.cookies["__Host-session"].rpartition(".")
    browser.cookies["__Host-session"] = f"{identity}.{signature[::-1]}"
    assert "Your session has ended" in browser.get("/").text


def test_public_url_has_no_slash(environment: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="GPUAAS_WEB_URL"):
        read_settings(WebSettings, {**environment, "GPUAAS_WEB_URL": "https://web.gpuaas.localhost/"})
