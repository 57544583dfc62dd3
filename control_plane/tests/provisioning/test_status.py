"""What ``gpuaas provisioning --status`` counts as a disagreement with the fleet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from gpuaas.provisioning import status
from gpuaas.provisioning.order import Disagreement

LEAKED = Disagreement("leaked", "", "reservation 1 on gpu-01 is running")
DELETED = Disagreement("deleted", "", "reservation 2 on gpu-02 is reserved")


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[list[Disagreement]]:
    """What each look finds; the last one ever after."""
    seen: list[list[Disagreement]] = []
    rest: Iterator[list[Disagreement]] | None = None

    async def disagreements(_client: object) -> list[Disagreement]:
        nonlocal rest
        rest = rest or iter(seen)
        return next(rest, seen[-1])

    async def connect(*_arguments: object) -> None: ...

    async def events(*_arguments: object) -> dict[str, Any]:
        return {"waiting": 0, "held": 0, "consumer_differs": []}

    monkeypatch.setattr(status, "_disagreements", disagreements)
    monkeypatch.setattr(status.temporal, "connect", connect)
    monkeypatch.setattr(status.temporal, "codec_of", lambda _secrets: None)
    monkeypatch.setattr(status.temporal, "client_tls", lambda _settings: None)
    monkeypatch.setattr(status.consumer, "look", events)
    monkeypatch.setattr(status, "PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(status, "POLL_SECONDS", 0.01)
    return seen


def test_what_is_given_back_meanwhile_is_no_disagreement(
    looks: list[list[Disagreement]], capsys: pytest.CaptureFixture[str]
) -> None:
    looks += [[DELETED], [Disagreement("another", "", "its turn comes")], []]
    assert status.run(None, None) == 0  # type: ignore[arg-type]
    assert json.loads(capsys.readouterr().out)["fleet_disagrees"] == []


def test_what_stays_is_one(looks: list[list[Disagreement]], capsys: pytest.CaptureFixture[str]) -> None:
    looks += [[DELETED, LEAKED], [LEAKED]]
    assert status.run(None, None) == 1  # type: ignore[arg-type]
    assert [each["instance_id"] for each in json.loads(capsys.readouterr().out)["fleet_disagrees"]] == ["leaked"]
