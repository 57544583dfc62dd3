"""How much a subject, and an address, may ask for: in any minute, and at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
import redis
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from gpuaas import admission, http, redis_client
from gpuaas.admission import Admission, Refusal, Sources, group_of, source_of
from gpuaas.api.limits import RateLimiter
from gpuaas.api.problems import ProblemError
from gpuaas.kinds import NETWORKS
from support.issuer import Issuer
from support.processes import Server

TRUSTED = NETWORKS.parse("10.0.0.0/8,fd00::/8")


# -- a subject --------------------------------------------------------------


@pytest.fixture
def counted(valkey: Server, redis_client: redis.Redis) -> Callable[[list[float]], list[int]]:
    """Requests of one subject, three a minute, at given times -> 0, or the seconds that each must wait."""

    def count(times: list[float]) -> list[int]:
        async def run() -> list[int]:
            client = _redis(valkey)
            try:
                return [await _counted(RateLimiter(client, 3, lambda now=now: now)) for now in times]  # type: ignore[misc]
            finally:
                await client.aclose()

        return asyncio.run(run())

    return count


def _redis(valkey: Server) -> Any:
    return redis_client.create(valkey.host, valkey.port, "api", valkey.password)


async def _counted(limiter: RateLimiter) -> int:
    try:
        await limiter.count("subject")
    except ProblemError as problem:
        return int(problem.headers["Retry-After"])
    return 0


@pytest.mark.parametrize(
    ("times", "waits"),
    [
        ([600.0] * 5, [0, 0, 0, 65, 65]),
        # The end of a clock's minute is no fresh start.
        ([659.9, 659.9, 659.9, 660.1], [0, 0, 0, 60]),
        ([602.0, 602.0, 602.0, 664.9, 665.0], [0, 0, 0, 1, 0]),
        # The oldest leaves first, and what was refused is not waited for.
        ([600.0, 630.0, 630.0, 650.0, 664.0, 665.0], [0, 0, 0, 15, 1, 0]),
    ],
)
def test_no_minute_has_more(counted: Callable[[list[float]], list[int]], times: list[float], waits: list[int]) -> None:
    assert counted(times) == waits


# -- a source ---------------------------------------------------------------


def test_no_minute_of_a_source_has_more() -> None:
    """Whoever asks whenever it may gets half at once, and never more than all in sixty seconds."""
    now, granted = [1000.0], []
    sources = Sources(60, lambda: now[0])
    while now[0] < 1300.0:
        if not sources.wait("a"):
            sources.charge("a")
            granted.append(now[0])
        now[0] += 0.5
    assert sum(time < 1001.0 for time in granted) == 1 + 1
    most = max(sum(begin <= time < begin + 60 for time in granted) for begin in granted)
    assert most <= 60
    assert len(granted) >= 60 / 2 + 290 / 2


def test_the_wait_that_is_said_is_enough_and_no_more() -> None:
    now = [0.0]
    sources = Sources(60, lambda: now[0])
    for _round in range(30):
        assert sources.wait("a") == 0
        sources.charge("a")
    wait = sources.wait("a")
    assert wait > 0
    assert sources.wait("b") == 0
    now[0] += wait - 0.001
    assert sources.wait("a") > 0
    now[0] += 0.002
    assert sources.wait("a") == 0


def test_no_number_of_sources_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "MAX_REMEMBERED", 3)
    sources = Sources(2, lambda: 0.0)
    for source in "abcd":
        sources.charge(source)
    assert [bool(sources.wait(source)) for source in "abcd"] == [False, True, True, True]


def scope(peer: str, *forwarded: str) -> Scope:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    return {"type": "http", "client": (peer, 1234), "headers": headers}


@pytest.mark.parametrize(
    ("peer", "forwarded", "source"),
    [
        ("10.1.2.3", ["203.0.113.9"], "203.0.113.9"),
        ("fd00::1", ["203.0.113.9"], "203.0.113.9"),
        ("::ffff:10.1.2.3", ["203.0.113.9"], "203.0.113.9"),
        # All but the last are the client's own words.
        ("10.1.2.3", ["198.51.100.1, 203.0.113.9"], "203.0.113.9"),
        ("10.1.2.3", ["198.51.100.1", "203.0.113.9"], "203.0.113.9"),
        ("10.1.2.3", [], "10.1.2.3"),
        ("10.1.2.3", ["unknown"], "10.1.2.3"),
        # Nobody else is believed.
        ("203.0.113.7", ["198.51.100.1"], "203.0.113.7"),
    ],
)
def test_where_a_request_is_from(peer: str, forwarded: list[str], source: str) -> None:
    assert source_of(scope(peer, *forwarded), TRUSTED) == source


def test_a_network_of_ipv6_is_one_source() -> None:
    assert group_of("2001:db8::1") == group_of("2001:db8::ffff:2") != group_of("2001:db8:0:1::1")
    assert group_of("192.0.2.1") != group_of("192.0.2.2")


# -- the edge ---------------------------------------------------------------


class Doors:
    """An application whose requests end when they are let go, behind an edge."""

    def __init__(self, per_minute: int = 60_000) -> None:
        self.gate = asyncio.Event()
        self.inside = 0
        admit = Admission(per_minute, TRUSTED, lambda headers: headers.get("authorization"))
        self.edge = http.Edge(self.app, {}, admit, self.refuse)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.inside += 1
        token = dict(scope["headers"]).get(b"authorization", b"").decode()
        if token == "good":
            scope.setdefault("state", {})["subject"] = "alice"
        await self.gate.wait()
        await PlainTextResponse("", 401 if token == "bad" else 200)(scope, receive, send)

    @staticmethod
    def refuse(refusal: Refusal) -> Response:
        return PlainTextResponse(refusal.code, refusal.status)

    def ask(self, token: str = "", source: str = "203.0.113.9") -> Awaitable[httpx.Response]:
        headers = {"X-Forwarded-For": source} | ({"Authorization": token} if token else {})
        transport = httpx.ASGITransport(self.edge, client=("10.0.0.1", 1))

        async def send() -> httpx.Response:
            async with httpx.AsyncClient(transport=transport, base_url="http://edge") as client:
                return await client.get("/", headers=headers)

        return asyncio.create_task(send())


async def settled(doors: Doors, inside: int) -> None:
    while doors.inside < inside:
        await asyncio.sleep(0)


def test_so_many_at_once_and_some_places_are_kept() -> None:
    async def run() -> None:
        doors = Doors()
        doors.gate.set()
        await doors.ask("good")
        doors.gate.clear()
        strangers = [doors.ask(source=f"192.0.2.{number}") for number in range(admission.MAX_STRANGERS)]
        await settled(doors, 1 + len(strangers))
        refused = await doors.ask()
        assert (refused.status_code, refused.text, refused.headers["Retry-After"]) == (503, "unavailable", "1")
        kept = admission.MAX_REQUESTS - admission.MAX_STRANGERS
        known = [doors.ask("good") for _round in range(kept)]
        await settled(doors, 1 + len(strangers) + kept)
        assert (await doors.ask("good")).status_code == 503
        doors.gate.set()
        assert {(await answer).status_code for answer in [*strangers, *known]} == {200}
        # Every place is free again.
        doors.gate.clear()
        again = [doors.ask(source=f"192.0.2.{number}") for number in range(admission.MAX_STRANGERS)]
        await settled(doors, doors.inside + len(again))
        doors.gate.set()
        assert {(await answer).status_code for answer in again} == {200}

    asyncio.run(run())


def test_a_stranger_is_counted_and_whoever_proved_to_be_somebody_is_let_in() -> None:
    async def run() -> None:
        doors = Doors(per_minute=20)
        doors.gate.set()
        assert (await doors.ask("good")).status_code == 200
        statuses = [(await doors.ask()).status_code for _round in range(12)]
        assert statuses == [200] * 10 + [429] * 2
        inside = doors.inside
        refused = await doors.ask("another")
        assert (refused.status_code, refused.text) == (429, "rate_limited")
        assert 1 <= int(refused.headers["Retry-After"]) <= 6
        # Nothing of it was looked at.
        assert doors.inside == inside
        assert (await doors.ask("good")).status_code == 200
        assert (await doors.ask(source="192.0.2.1")).status_code == 200

    asyncio.run(run())


def test_a_refused_token_costs_ten_and_is_recognised_no_more() -> None:
    async def run() -> None:
        doors = Doors(per_minute=60)
        doors.gate.set()
        statuses = [(await doors.ask("bad")).status_code for _round in range(5)]
        assert statuses == [401, 401, 401, 429, 429]

    asyncio.run(run())


def test_good_tokens_cost_a_source_nothing() -> None:
    async def run() -> None:
        doors = Doors(per_minute=4)
        doors.gate.set()
        assert [(await doors.ask("good")).status_code for _round in range(9)] == [200] * 9

    asyncio.run(run())


def test_a_flood_is_a_line_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    admit = Admission(2, TRUSTED, lambda headers: None, lambda: now[0])

    def ask(times: int) -> list[dict[str, object]]:
        caplog.clear()
        for _round in range(times):
            admit.begin(scope("203.0.113.9"))
        return [vars(record)["fields"] for record in caplog.records]

    assert ask(1) == []
    assert ask(4) == [{"refused": 1, "last": "rate_limited"}]
    now[0] += admission.REPORT_SECONDS - 0.1
    assert ask(3) == []
    now[0] += 0.1
    assert ask(2) == [{"refused": 7, "last": "rate_limited"}]
    now[0] += admission.REPORT_SECONDS
    assert ask(1) == [{"refused": 2, "last": "rate_limited"}]


# -- the API ----------------------------------------------------------------


def test_a_hundred_bad_tokens_in_a_row(start_api: Callable[..., httpx.Client], issuer: Issuer) -> None:
    api = start_api(GPUAAS_SOURCE_LIMIT_PER_MINUTE="600")
    good = {"Authorization": f"Bearer {issuer.token()}"}
    assert api.get("/v1/me", headers=good).status_code == 200
    bad = {"Authorization": "Bearer bad"}
    statuses = [api.get("/v1/me", headers=bad).status_code for _round in range(100)]
    first = statuses.index(429)
    assert statuses[:first] == [401] * first
    assert first >= 30
    refused = api.get("/v1/me", headers=bad)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.headers["X-Content-Type-Options"] == "nosniff"
    assert int(refused.headers["Retry-After"]) >= 1
    # Others at this address, and other addresses, are served.
    assert api.get("/v1/me", headers=good).status_code == 200
    assert api.get("/v1/me", headers=bad | {"X-Forwarded-For": "203.0.113.9"}).status_code == 401


def test_nobody_takes_another_address_by_a_header(start_api: Callable[..., httpx.Client]) -> None:
    api = start_api(GPUAAS_SOURCE_LIMIT_PER_MINUTE="20", GPUAAS_TRUSTED_PROXIES="192.0.2.0/24")
    statuses = [
        api.get("/v1/me", headers={"X-Forwarded-For": f"203.0.113.{number}"}).status_code for number in range(3)
    ]
    assert statuses == [401, 429, 429]


def test_the_console_says_for_whom_it_asks(
    start_api: Callable[..., httpx.Client], start_web: Callable[..., str]
) -> None:
    """Bad tokens that are sent through it cost who sends them, and nobody else."""
    start_api(GPUAAS_SOURCE_LIMIT_PER_MINUTE="10")
    web = start_web()

    def ask(source: str) -> int:
        headers = {"Authorization": "Bearer x.y.z", "X-Forwarded-For": source}
        return httpx.get(f"{web}/configuration", headers=headers, trust_env=False, timeout=60).status_code

    assert [ask("203.0.113.1") for _round in range(2)] == [401, 429]
    assert ask("203.0.113.2") == 401


def test_the_console_is_limited_too(start_web: Callable[..., str]) -> None:
    web = start_web(GPUAAS_SOURCE_LIMIT_PER_MINUTE="4")
    answers = [httpx.get(web, trust_env=False) for _round in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert "Too many requests" in answers[2].text
    assert answers[2].headers["Retry-After"]
