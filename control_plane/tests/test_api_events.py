"""The live feed: whose events, from where on, how many streams, and how they end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from gpuaas import admission
from gpuaas.api import events, feed
from gpuaas.api.timeline import TimelineReader
from support.issuer import Issuer
from support.processes import wait_for as waiting_for
from test_api_timeline import bearer, create, happens

SOURCE = Path(__file__).parents[1] / "src"


def wait_for(ready: Callable[[], bool], what: str, seconds: float = 15) -> None:
    waiting_for(ready, what, seconds)


class Stream:
    """What arrives, as a browser's EventSource would have it."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.lines: list[str] = []
        self.ended = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        wait_for(lambda: "retry: 1000" in self.lines, "the stream")

    @property
    def ids(self) -> list[int]:
        return [int(line.removeprefix("id: ")) for line in self.lines if line.startswith("id: ")]

    @property
    def entries(self) -> list[dict[str, Any]]:
        return [json.loads(line.removeprefix("data: ")) for line in self.lines if line.startswith("data: ")]

    def _read(self) -> None:
        try:
            for line in self.response.iter_lines():
                self.lines.append(line)
        except httpx.HTTPError:
            return
        self.ended = True


@contextmanager
def streaming(api: httpx.Client, headers: dict[str, str], **params: str) -> Iterator[Stream]:
    with api.stream("GET", "/v1/events", headers=headers, params=params, timeout=60) as response:
        assert response.status_code == 200, response.read()
        yield Stream(response)


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "LOOK_SECONDS", 0.02)
    # A connection that is closed here while it is read is closed once something comes.
    monkeypatch.setattr(events, "HEARTBEAT_SECONDS", 0.1)


def test_what_happens_arrives_and_a_cursor_goes_on(
    api: httpx.Client, issuer: Issuer, database: psycopg.Connection
) -> None:
    one = create(api, issuer)
    happens(database, one)
    with streaming(api, bearer(issuer, roles=["viewer"])) as stream:
        assert stream.response.headers["Content-Type"].startswith("text/event-stream")
        assert stream.response.headers["Cache-Control"] == "no-store"
        first = happens(database, one, 3)
        wait_for(lambda: stream.ids == first, "the events")
        assert [entry["position"] for entry in stream.entries] == first
        assert stream.entries[0]["sentence"] == "It runs."
    missed = happens(database, one, 250)
    with streaming(api, {**bearer(issuer), "Last-Event-ID": str(first[1])}) as stream:
        wait_for(lambda: stream.ids == [first[2], *missed], "what was missed")
        later = happens(database, one, 2)
        wait_for(lambda: stream.ids[-2:] == later, "what came later")
        assert stream.ids == [first[2], *missed, *later]


def test_events_are_those_of_the_callers_projects(
    api: httpx.Client, issuer: Issuer, database: psycopg.Connection
) -> None:
    one = create(api, issuer)
    both = bearer(issuer, groups=["/projects/alpha", "/projects/beta"])
    with (
        streaming(api, bearer(issuer)) as alpha,
        streaming(api, both) as of_both,
        streaming(api, both, project="beta") as beta,
    ):
        [first] = happens(database, one)
        [second] = happens(database, one, project="beta")
        [third] = happens(database, one)
        wait_for(lambda: alpha.ids == [first, third], "those of alpha")
        wait_for(lambda: of_both.ids == [first, second, third], "those of both")
        wait_for(lambda: beta.ids == [second], "those of beta")
    for headers, params, status in (
        (bearer(issuer), {"project": "beta"}, 403),
        (bearer(issuer, groups=[]), {}, 403),
        (bearer(issuer, roles=[]), {}, 403),
        ({}, {}, 401),
        ({**bearer(issuer), "Last-Event-ID": "x"}, {}, 400),
    ):
        assert api.get("/v1/events", headers=headers, params=params).status_code == status


def test_one_look_serves_all(
    api: httpx.Client, issuer: Issuer, database: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, asked = create(api, issuer), []
    since = TimelineReader.since

    async def counted(self: TimelineReader, *given: Any) -> Any:
        asked.append(given)
        return await since(self, *given)

    with ExitStack() as stack:
        streams = [stack.enter_context(streaming(api, bearer(issuer, sub=f"user-{n}"))) for n in range(20)]
        first = happens(database, one)
        wait_for(lambda: all(stream.ids == first for stream in streams), "the first event")
        monkeypatch.setattr(TimelineReader, "since", counted)
        second = happens(database, one)
        wait_for(lambda: all(stream.ids == first + second for stream in streams), "the second event")
    # Those of one project are those of who read for themselves.
    assert [given for given in asked if len(given) > 2] == []


def test_a_cursor_of_a_database_that_was_set_back_begins_now(
    api: httpx.Client, issuer: Issuer, database: psycopg.Connection
) -> None:
    one = create(api, issuer)
    with streaming(api, {**bearer(issuer), "Last-Event-ID": "999999999999"}) as stream:
        first = happens(database, one)
        wait_for(lambda: stream.ids == first, "the event")


def test_so_many_streams_and_requests_beside_them(
    api: httpx.Client, issuer: Issuer, database: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    # More streams than requests that may be answered at once, and than strangers may have.
    monkeypatch.setattr(admission, "MAX_REQUESTS", 8)
    monkeypatch.setattr(admission, "MAX_STRANGERS", 4)
    monkeypatch.setattr(feed, "MAX_FOLLOWERS", 12)
    with ExitStack() as stack:
        for n in range(12):
            stack.enter_context(streaming(api, bearer(issuer, sub=f"user-{n // 6}")))
        assert api.get("/v1/me", headers=bearer(issuer)).status_code == 200
        refused = api.get("/v1/events", headers=bearer(issuer))
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
        monkeypatch.setattr(feed, "MAX_FOLLOWERS", 100)
        refused = api.get("/v1/events", headers=bearer(issuer, sub="user-0"))
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
        assert refused.headers["Retry-After"] == "5"

    # A place is free once its reader is gone.
    def free() -> bool:
        with api.stream("GET", "/v1/events", headers=bearer(issuer, sub="user-0")) as response:
            return response.status_code == 200

    wait_for(free, "a place")


def test_a_heartbeat_says_that_it_lives(api: httpx.Client, issuer: Issuer) -> None:
    with streaming(api, bearer(issuer)) as stream:
        wait_for(lambda: stream.lines.count(": nothing new") > 2, "heartbeats")


def test_it_ends_with_the_token(api: httpx.Client, issuer: Issuer, database: psycopg.Connection) -> None:
    one = create(api, issuer)
    with streaming(api, bearer(issuer, exp=int(time.time()) + 2)) as stream:
        first = happens(database, one)
        wait_for(lambda: stream.ended, "the end", 10)
        assert stream.ids == first


@pytest.fixture
def process(
    environment: dict[str, str], database: psycopg.Connection, redis_client: Any
) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-m", "gpuaas", "api"],
        env={"PYTHONPATH": str(SOURCE), "PATH": os.environ["PATH"], **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        yield process
        process.kill()


def test_it_ends_when_the_process_is_told_to(
    environment: dict[str, str], process: subprocess.Popen[bytes], issuer: Issuer
) -> None:
    url = f"http://127.0.0.1:{environment['GPUAAS_LISTEN_PORT']}"
    with httpx.Client(base_url=url, trust_env=False) as api:

        def answers() -> bool:
            try:
                return api.get("/v1/me", headers=bearer(issuer)).status_code == 200
            except httpx.TransportError:
                return False

        wait_for(answers, "the API")
        with streaming(api, bearer(issuer)) as stream:
            process.send_signal(signal.SIGTERM)
            began = time.monotonic()
            wait_for(lambda: stream.ended, "the end", 10)
            assert process.wait(15) == 0
            # Not after the time that it gives to whoever does not end.
            assert time.monotonic() - began < 10


def test_a_database_that_goes_ends_no_stream(
    api: httpx.Client, issuer: Issuer, database: psycopg.Connection, superuser: psycopg.Connection
) -> None:
    one = create(api, issuer)
    with streaming(api, bearer(issuer)) as stream:
        first = happens(database, one)
        wait_for(lambda: stream.ids == first, "the event")
        superuser.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'gpuaas'")
        second = happens(database, one)
        wait_for(lambda: stream.ids == first + second, "the next event")


def test_the_document_says_what_it_is(start_api: Callable[..., httpx.Client]) -> None:
    paths = start_api().get("/openapi.json").json()["paths"]
    assert "text/event-stream" in paths["/v1/events"]["get"]["responses"]["200"]["content"]
