"""Readiness is asked for as often as it may change, not as often as somebody asks."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from gpuaas import probes
from gpuaas.probes import Readiness
from gpuaas.secrets import Used
from support.serving import served


class Dependency:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.fault: str | None = None

    async def __call__(self) -> str | None:
        self.asked += 1
        await asyncio.sleep(0)
        return self.fault


def test_many_askings_are_one_question() -> None:
    now, dependency = [0.0], Dependency()
    readiness = Readiness(lambda: now[0])

    async def ask() -> dict[str, str]:
        return await readiness.missing({"redis": dependency})

    async def all_at_once() -> list[dict[str, str]]:
        return await asyncio.gather(*(ask() for _round in range(50)))

    assert asyncio.run(all_at_once()) == [{}] * 50
    assert dependency.asked == 1
    dependency.fault = "away"
    now[0] += probes.REMEMBERED_SECONDS - 0.01
    assert asyncio.run(ask()) == {}
    now[0] += 0.01
    assert asyncio.run(ask()) == {"redis": "away"}
    assert dependency.asked == 2


def test_a_dependency_that_hangs_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "CHECK_SECONDS", 0.01)

    async def hangs() -> str | None:
        await asyncio.Event().wait()
        return None

    assert asyncio.run(Readiness().missing({"redis": hangs})) == {"redis": "no answer in time"}


@pytest.mark.parametrize(
    ("used", "status"), [(Used("infisical", ("a",), "https://s:1", "/relay", "oidc"), 200), (None, 404)]
)
def test_a_worker_says_who_gave_it_its_secrets(used: Used | None, status: int) -> None:
    with served(probes.create_app(dict, used)) as url:
        answer = httpx.get(f"{url}/healthz/secrets", trust_env=False)
    assert answer.status_code == status
    told = {"provider": "infisical", "read": ["a"], "server": "https://s:1", "folder": "/relay", "method": "oidc"}
    assert answer.json() == (told if used else {})
