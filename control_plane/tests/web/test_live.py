"""What happens to an instance, on its page and without a reload."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress

import httpx
import psycopg
import pytest
import redis
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gpuaas import serve
from gpuaas.api import events, feed
from gpuaas.web import live as live_module
from gpuaas.web import sockets
from support.browser import Browser, Forms
from support.issuer import Issuer
from support.live import Deaf, Live
from support.processes import wait_for
from support.sealed import sessions_of
from support.serving import served
from test_api_timeline import happens


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(events, "HEARTBEAT_SECONDS", 0.1)
    monkeypatch.setattr(live_module, "SESSION_SECONDS", 0.1)
    monkeypatch.setattr(live_module, "SOON_SECONDS", 0.05)


@pytest.fixture
def instance(browser: Browser, api: httpx.Client) -> str:
    """One that alice asked for."""
    page = browser.submit(browser.get("/auth/login"), "/instances", name="training-1", gpu_type="A100", gpu_count="2")
    found = re.search(r'data-instance-id="([0-9a-f-]{36})"', page.text)
    assert found
    return found[1]


@pytest.fixture
def follow(browser: Browser) -> Iterator[Callable[..., Live]]:
    """Open a live connection of the browser; project alpha unless told otherwise."""
    with ExitStack() as stack:
        yield lambda **query: stack.enter_context(closing(Live(browser, **({"project": "alpha"} | query))))


def test_a_page_says_what_happened(
    browser: Browser, api: httpx.Client, instance: str, database: psycopg.Connection
) -> None:
    page = browser.get(f"/instances/{instance}")
    assert {"state", "no-timeline"} <= set(Forms(page.text).test_ids)
    happens(database, instance)
    page = browser.get(f"/instances/{instance}")
    assert "It runs." in page.text
    assert "timeline" in Forms(page.text).test_ids


def test_the_page_of_an_instance_that_there_is_not(browser: Browser, api: httpx.Client) -> None:
    browser.get("/auth/login")
    assert browser.get("/instances/00000000-0000-4000-8000-000000000000").status_code == 404
    assert browser.get("/instances/nonsense").status_code == 404


def test_what_happens_comes_without_a_reload(
    browser: Browser, follow: Callable[..., Live], instance: str, database: psycopg.Connection
) -> None:
    live = follow().begun()
    # Offered by the client, as browsers do.
    assert live.socket.response is not None
    assert "Sec-WebSocket-Extensions" not in live.socket.response.headers
    database.execute("UPDATE instances SET state = 'failed', reason = 'no_capacity'")
    (position,) = happens(database, instance)
    wait_for(lambda: live.positions == [position], "the event")
    # Whoever is told looks at once, and sees no page of before.
    assert "not so many GPUs of this type are free" in browser.get("/").text
    wait_for(lambda: 'data-state="failed"' in live.of("overview")[-1]["html"], "how the project stands")


def test_a_browser_that_comes_back_misses_nothing(
    follow: Callable[..., Live], instance: str, database: psycopg.Connection
) -> None:
    positions = happens(database, instance, 250)
    live = follow(position=positions[0]).begun()
    wait_for(lambda: live.positions == positions[1:], "the events")
    assert live.of("entries")[-1]["position"] == positions[-1]


def test_it_goes_on_when_the_token_ends(
    browser: Browser, follow: Callable[..., Live], instance: str, issuer: Issuer, database: psycopg.Connection
) -> None:
    issuer.access_seconds = 1
    browser.get("/auth/login")
    live = follow().begun()
    renewed = len(issuer.token_requests)
    happens(database, instance)
    wait_for(lambda: len(issuer.token_requests) > renewed + 1, "other tokens")
    happens(database, instance)
    wait_for(lambda: len(live.positions) == 2, "what came after the first token")
    assert len(live.of("begins")) == 1


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "null", "http://127.0.0.1:1"])
def test_a_page_of_another_origin_is_refused(browser: Browser, instance: str, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        Live(browser, origin, project="alpha")
    assert refused.value.response.status_code == 403
    assert refused.value.response.body == b'{"code":"origin_foreign"}'
    # What every answer has.
    assert refused.value.response.headers["X-Content-Type-Options"] == "nosniff"


def test_without_a_session_nothing_is_told(
    browser: Browser, follow: Callable[..., Live], instance: str, redis_client: redis.Redis
) -> None:
    with closing(Browser(browser.url)) as stranger, closing(Live(stranger, project="alpha")) as live:
        assert live.ended() == (4401, "session_ended")
    kept = dict(browser.cookies)
    browser.cookies["__Host-session"] += "x"
    assert follow().ended() == (4401, "session_ended")
    browser.cookies = kept
    for key in sessions_of(redis_client):
        redis_client.delete(key)
    expired = follow()
    assert expired.ended() == (4401, "session_ended")
    assert expired.messages == []


def test_it_ends_with_the_session(browser: Browser, follow: Callable[..., Live], instance: str) -> None:
    live = follow().begun()
    browser.submit(browser.get("/"), "/auth/logout")
    assert live.ended() == (4401, "session_ended")


def test_nothing_of_another_project_is_told(
    browser: Browser, follow: Callable[..., Live], instance: str, database: psycopg.Connection
) -> None:
    assert follow(project="beta").ended() == (4403, "forbidden")
    live = follow().begun()
    happens(database, instance, project="beta")
    (own,) = happens(database, instance)
    wait_for(lambda: bool(live.positions), "its own")
    assert live.positions == [own]


def test_what_the_api_should_not_have_sent_is_not_passed_on(
    start_web: Callable[..., str], open_browser: Callable[[str], Browser], api: httpx.Client
) -> None:
    async def events(_request: Request) -> Response:
        entries = [{"project": project, "position": 1, "sentence": "A secret."} for project in ("alpha", "beta")]
        body = "".join(f"id: 1\ndata: {json.dumps(entry)}\n\n" for entry in entries)
        return PlainTextResponse(body, headers={"X-Begins-After": "0"})

    with served(Starlette(routes=[Route("/v1/events", events)])) as url:
        browser = open_browser(start_web(GPUAAS_API_URL=url))
        browser.request("GET", browser.callback())
        with closing(Live(browser, project="alpha")) as live:
            assert live.ended() == (1011, "internal")
            assert live.of("entries") == []


def test_an_api_of_the_version_before_is_waited_for(
    start_web: Callable[..., str], open_browser: Callable[[str], Browser], api: httpx.Client
) -> None:
    with served(Starlette(routes=[Route("/v1/events", lambda _request: PlainTextResponse("retry: 1\n\n"))])) as url:
        browser = open_browser(start_web(GPUAAS_API_URL=url))
        browser.request("GET", browser.callback())
        with closing(Live(browser, project="alpha")) as live:
            assert live.ended() == (1013, "unavailable")


@pytest.mark.parametrize("query", [{"project": ""}, {"position": "x"}, {"position": "-1"}, {"position": "9" * 19}])
def test_what_is_not_understood_is_refused(follow: Callable[..., Live], instance: str, query: dict[str, str]) -> None:
    assert follow(**query).ended() == (4400, "invalid_request")


def test_a_position_that_is_gone_is_said_to_be(
    follow: Callable[..., Live], instance: str, database: psycopg.Connection
) -> None:
    (position,) = happens(database, instance)
    live = follow(position=position + 1)
    assert live.ended() == (4410, "position_gone")
    assert live.of("entries") == []


def test_who_speaks_is_hung_up_on(follow: Callable[..., Live], instance: str) -> None:
    live = follow().begun()
    live.socket.send("hello")
    assert live.ended() == (1008, "client_spoke")


def test_megabytes_are_not_read(follow: Callable[..., Live], instance: str) -> None:
    live = follow().begun()
    with suppress(ConnectionClosed):
        live.socket.send(b"x" * 64 * 1024 * 1024)
    # What is on its way to who has closed is answered with a reset, which may overtake the code.
    assert live.ended()[0] in (1009, 1006)


def test_many_fragments_are_as_large_as_one(follow: Callable[..., Live], instance: str) -> None:
    live = follow().begun()
    with suppress(ConnectionClosed):
        live.socket.send("x" * 1024 for _part in range(5))
    assert live.ended()[0] == 1009


def test_who_answers_no_ping_is_dropped(
    start_web: Callable[..., str],
    open_browser: Callable[[str], Browser],
    api: httpx.Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(serve, "WEBSOCKET_PING_SECONDS", 0.2)
    browser = open_browser(start_web())
    browser.get("/auth/login")
    with closing(Deaf(browser, project="alpha")) as deaf:
        assert deaf.dropped(10)


def test_who_never_reads_is_dropped(
    browser: Browser,
    instance: str,
    database: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(live_module, "SEND_SECONDS", 0.3)
    monkeypatch.setattr(live_module, "CLOSE_SECONDS", 0.1)
    caplog.set_level("INFO", live_module.__name__)
    positions = happens(database, instance, 60)
    # More than the kernel takes in the reader's place.
    database.execute("UPDATE timeline SET details = jsonb_build_object('words', repeat('x', 200000))")
    with closing(Deaf(browser, project="alpha", position=positions[0] - 1)) as deaf:
        assert deaf.dropped(15)
    said = [getattr(record, "fields", {}).get("cause") for record in caplog.records]
    assert "slow_reader" in said


def test_sockets_without_a_session_count_against_their_address(
    start_web: Callable[..., str], open_browser: Callable[[str], Browser], api: httpx.Client
) -> None:
    stranger = open_browser(start_web(GPUAAS_SOURCE_LIMIT_PER_MINUTE="6"))
    for _one in range(3):
        with closing(Live(stranger, project="alpha")) as live:
            assert live.ended() == (4401, "session_ended")
    with pytest.raises(InvalidStatus) as refused:
        Live(stranger, project="alpha")
    assert refused.value.response.status_code == 429


def test_sockets_of_a_session_are_bounded(
    follow: Callable[..., Live], instance: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "MAX_OF_A_SESSION", 2)
    first = follow().begun()
    follow().begun()
    assert follow().ended() == (4429, "too_many")
    first.close()
    follow().begun()


def test_sockets_of_all_are_bounded(
    follow: Callable[..., Live], instance: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "MAX_SOCKETS", 1)
    follow().begun()
    assert follow().ended() == (4429, "too_many")


def test_the_apis_bound_is_told(follow: Callable[..., Live], instance: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "MAX_OF_A_SUBJECT", 1)
    follow().begun()
    assert follow().ended() == (4429, "too_many")


def test_sockets_end_when_the_console_stops(
    follow: Callable[..., Live], instance: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    watch = live_module._Follower.watch

    async def watched(self: live_module._Follower) -> None:
        opened.append((asyncio.get_running_loop(), self._its))
        await watch(self)

    monkeypatch.setattr(live_module._Follower, "watch", watched)
    live = follow().begun()
    [(loop, its)] = opened
    # As Service.stop does when the process is told to.
    loop.call_soon_threadsafe(its.stopping.set)
    assert live.ended() == (1012, "restarting")


def test_a_script_does_not_take_what_is_said_once(browser: Browser, api: httpx.Client) -> None:
    page = browser.get("/auth/login")
    form = {**Forms(page.text).forms["/instances"], "name": "training-1", "gpu_type": "A100", "gpu_count": "2"}
    assert browser.request("POST", "/instances", form).status_code == 303
    assert "is requested" not in browser.request("GET", "/", **{"Sec-Fetch-Dest": "empty"}).text
    assert "is requested" in browser.get("/").text


def test_scripts_are_the_consoles_own(browser: Browser, api: httpx.Client, instance: str) -> None:
    page = browser.get("/")
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    scripts = re.findall(r"<script[^>]*>", page.text)
    assert len(scripts) == 1
    assert scripts[0].startswith('<script src="/static/live.js?v=')
    script = browser.get("/static/live.js")
    # A module is named without a version by who imports it: an old one must not be taken for it.
    assert (script.status_code, script.headers["Cache-Control"]) == (200, "no-cache")
