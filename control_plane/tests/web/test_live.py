"""What happens to an instance, on its page and without a reload."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, closing

import httpx
import psycopg
import pytest

from gpuaas.api import events, feed
from gpuaas.web import live
from support.browser import Browser, Forms
from support.processes import wait_for
from test_api_timeline import happens


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(events, "HEARTBEAT_SECONDS", 0.1)


@pytest.fixture
def instance(browser: Browser, api: httpx.Client) -> str:
    """One that alice asked for."""
    page = browser.submit(browser.get("/auth/login"), "/instances", name="training-1", gpu_type="A100", gpu_count="2")
    found = re.search(r'data-instance-id="([0-9a-f-]{36})"', page.text)
    assert found
    return found[1]


class Follower:
    """A browser's EventSource; the page's script asks for the page again whenever something comes."""

    def __init__(self, browser: Browser, path: str, **headers: str) -> None:
        self.lines: list[str] = []
        self.status = 0
        self._is_over = False
        cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())}
        self._thread = threading.Thread(
            target=self._read, args=(browser.url + path, {**cookies, **headers}), daemon=True
        )
        self._thread.start()
        wait_for(lambda: bool(self.status), "an answer")

    def _read(self, url: str, headers: dict[str, str]) -> None:
        with httpx.stream("GET", url, headers=headers, timeout=60, trust_env=False) as response:
            self.type = response.headers["Content-Type"]
            self.status = response.status_code
            for line in response.iter_lines():
                self.lines.append(line)
                if self._is_over:
                    return

    def close(self) -> None:
        """Read no more; a heartbeat comes soon."""
        self._is_over = True
        self._thread.join()


@pytest.fixture
def follow(browser: Browser) -> Iterator[Callable[..., Follower]]:
    with ExitStack() as stack:
        yield lambda **headers: stack.enter_context(closing(Follower(browser, followed(browser), **headers)))


def followed(browser: Browser) -> str:
    """Where the page says that its events are."""
    found = re.search(r'data-events="([^"]+)"', browser.get("/").text)
    assert found
    return found[1].replace("&amp;", "&")


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
    browser: Browser, follow: Callable[..., Follower], instance: str, database: psycopg.Connection
) -> None:
    follower = follow()
    assert (follower.status, follower.type) == (200, "text/event-stream; charset=utf-8")
    database.execute("UPDATE instances SET state = 'failed', reason = 'no_capacity'")
    (position,) = happens(database, instance)
    wait_for(lambda: f"id: {position}" in follower.lines, "the event")
    # Whoever is told looks at once, and sees no page of before.
    assert "not so many GPUs of this type are free" in browser.get("/").text


def test_a_browser_that_comes_back_misses_nothing(
    follow: Callable[..., Follower], instance: str, database: psycopg.Connection
) -> None:
    positions = happens(database, instance, 3)
    follower = follow(**{"Last-Event-ID": str(positions[0])})
    wait_for(lambda: f"id: {positions[2]}" in follower.lines, "the events")
    assert f"id: {positions[0]}" not in follower.lines


def test_nobody_follows_without_a_session_or_another_project(
    browser: Browser, api: httpx.Client, instance: str
) -> None:
    assert browser.get("/events?project=other").status_code == 403
    with closing(Browser(browser.url)) as stranger:
        assert stranger.get("/events").status_code == 401


def test_streams_end_when_the_console_stops() -> None:
    class Endless(httpx.AsyncByteStream):
        closed = False

        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b": nothing new\n\n"
            await asyncio.Event().wait()

        async def aclose(self) -> None:
            self.closed = True

    async def stop() -> None:
        body, stopping = Endless(), asyncio.Event()
        passed = live.passed_on(httpx.Response(200, stream=body), stopping)
        assert await anext(passed) == b": nothing new\n\n"
        stopping.set()
        assert await anext(passed, None) is None
        assert body.closed

    asyncio.run(stop())


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
    assert browser.get("/static/live.js").status_code == 200
