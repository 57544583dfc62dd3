"""How a project stands is asked for once a second, however many look, and what could not be asked is asked again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gpuaas.web.api_client import ApiUnavailableError
from gpuaas.web.overview import READS, Overviews

SEEN: dict[str, Any] = {
    "project": "alpha",
    "time": "2026-11-30T10:00:00Z",
    "security": {"mode": "PROD", "member_keys": "devices"},
    "fleet": [{"gpu_type": "<b>", "state": "running", "instances": 1, "gpus": 4}],
    "outbox": {"waiting": 2, "oldest_seconds": 90.0},
    "journal": {
        "start": 3,
        "number": 41,
        "verified": 40,
        "faults": ["journal_gap: 41"],
        "waiting": 5,
        "behind_since": "2026-11-30T09:00:00Z",
        "age_seconds": 30.0,
        "stale": True,
    },
    "epoch": None,
}


class Api:
    def __init__(self) -> None:
        self.asked = 0
        self.down = False

    async def ask(self) -> dict[str, Any]:
        self.asked += 1
        if self.down:
            raise ApiUnavailableError("away")
        return SEEN


def test_it_is_asked_for_once_a_second_for_each_project() -> None:
    async def look() -> None:
        now = 0.0
        api, overviews = Api(), Overviews(lambda: now)
        pages = await asyncio.gather(*(overviews.of("alpha", api.ask) for _one in range(20)))
        assert (len(set(pages)), api.asked) == (1, 1)
        await overviews.of("beta", api.ask)
        assert api.asked == 2
        now = 1.0
        await overviews.of("alpha", api.ask)
        assert api.asked == 3

    asyncio.run(look())


def test_what_could_not_be_asked_is_not_remembered() -> None:
    async def look() -> None:
        api, overviews = Api(), Overviews(lambda: 0.0)
        api.down = True
        with pytest.raises(ApiUnavailableError):
            await overviews.of("alpha", api.ask)
        api.down = False
        assert "PROD" in await overviews.of("alpha", api.ask)

    asyncio.run(look())


def test_it_says_what_there_is_to_know() -> None:
    page = asyncio.run(Overviews().of("alpha", Api().ask))
    for words in (
        READS["PROD"],
        "the oldest for 1 min",
        "40 of 41",
        "those up to 3 are lost",
        "The journal does not hold: journal_gap: 41",
        "The journal is behind since",
        "No report on the journal for</strong> 30 s",
        "&lt;b&gt;",
    ):
        assert words in page
    assert "<b>" not in page
