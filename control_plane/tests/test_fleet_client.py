"""What a fleet answers that its contract does not know is no answer: it is asked again, and nothing is believed."""

from __future__ import annotations

import asyncio
import ssl
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from gpuaas.fleet.client import Fleet, FleetRefusal, FleetUnavailable

INSTANCE, RESERVATION = uuid.uuid4(), uuid.uuid4()
GOOD: dict[str, Any] = {
    "id": str(RESERVATION),
    "instance": str(INSTANCE),
    "node": "gpu-01",
    "gpus": ["g0"],
    "state": "reserved",
    "reason": None,
    "operation": None,
    "storage": None,
    "health": None,
    "replaces": None,
    "workload": None,
}
ETAG = {"ETag": '"1"'}
NONSENSE: dict[str, httpx.Response] = {
    "no JSON": httpx.Response(200, text="<html>", headers=ETAG),
    "nothing": httpx.Response(200, headers=ETAG),
    "a list": httpx.Response(200, json=[], headers=ETAG),
    "no state": httpx.Response(200, json={**GOOD, "state": None}, headers=ETAG),
    "a state that there is not": httpx.Response(200, json={**GOOD, "state": "levitating"}, headers=ETAG),
    "an id that is none": httpx.Response(200, json={**GOOD, "id": "7"}, headers=ETAG),
    "no ETag": httpx.Response(200, json=GOOD),
    "another one's": httpx.Response(
        200, json={**GOOD, "id": str(uuid.uuid4()), "instance": str(uuid.uuid4())}, headers=ETAG
    ),
    "an error without a problem": httpx.Response(404, text="not here"),
    "a problem that is none": httpx.Response(409, json=["no"]),
    "a token that it does not know": httpx.Response(401, json={"code": "unauthorized", "detail": "no"}),
    "too many": httpx.Response(429, json={"code": "too_many", "detail": "no"}),
    "a fault of its own": httpx.Response(500, json={"code": "internal", "detail": "no"}),
}


def asked(answer: Callable[[httpx.Request], httpx.Response], monkeypatch: pytest.MonkeyPatch, reserve: bool) -> Any:
    """What a fleet that answers so is understood to say."""

    async def ask() -> Any:
        fleet = Fleet("https://fleet.invalid", "token", ssl.create_default_context())
        http = httpx.AsyncClient(base_url="https://fleet.invalid/v1", transport=httpx.MockTransport(answer))
        monkeypatch.setattr(fleet, "_http", http)
        try:
            return await (fleet.reserve(INSTANCE, "H100", 1, key="k") if reserve else fleet.get(RESERVATION))
        finally:
            await fleet.close()

    return asyncio.run(ask())


@pytest.mark.parametrize("reserve", [True, False], ids=["reserve", "get"])
@pytest.mark.parametrize("case", NONSENSE)
def test_nonsense_is_no_answer(case: str, reserve: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FleetUnavailable):
        asked(lambda _request: NONSENSE[case], monkeypatch, reserve)


@pytest.mark.parametrize("reserve", [True, False], ids=["reserve", "get"])
def test_what_the_contract_says_is_one(reserve: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = asked(lambda _request: httpx.Response(200, json=GOOD, headers=ETAG), monkeypatch, reserve)
    assert (seen.reservation.id, seen.etag) == (RESERVATION, '"1"')


def test_a_no_is_a_no(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = {"code": "no_capacity", "detail": "none"}
    with pytest.raises(FleetRefusal, match="no_capacity: none"):
        asked(lambda _request: httpx.Response(409, json=problem), monkeypatch, reserve=True)
