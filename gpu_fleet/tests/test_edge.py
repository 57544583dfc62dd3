"""Who is let in, and what everybody gets at the edge."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator

import pytest

from conftest import Start
from gpu_fleet import edge, logs
from gpu_fleet.edge import MAX_BODY_BYTES
from support.machine import Machine


@pytest.mark.parametrize("path", ["/v1/nodes", "/openapi.json", "/nothing"])
def test_nothing_is_told_without_the_token(machine: Machine, path: str) -> None:
    missing = machine.anybody.get(path)
    assert (missing.status_code, missing.json()["code"]) == (401, "token_missing")
    assert missing.headers["WWW-Authenticate"] == 'Bearer realm="gpu-fleet"'
    for wrong in ("Bearer wrong", "Basic controller-test-token", "controller-test-token", "Bearer ü"):
        refused = machine.anybody.get(path, headers={"Authorization": wrong.encode("latin-1")})
        assert (refused.status_code, refused.json()["code"]) == (401, "token_invalid")


def test_a_body_has_a_bound(machine: Machine) -> None:
    headers = {"Idempotency-Key": "one", "Content-Type": "application/json"}
    answer = machine.api.post("/v1/reservations", content=b" " * (MAX_BODY_BYTES + 1), headers=headers)
    assert answer.status_code == 413


def test_a_body_has_a_time(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "BODY_SECONDS", 0.01)

    async def never() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    headers = {"Idempotency-Key": "one", "Content-Type": "application/json"}
    assert machine.api.post("/v1/reservations", content=never(), headers=headers).status_code == 408


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"instance": "x", "gpu_type": "H100", "gpu_count": 1}',
        b'{"instance": "00000000-0000-0000-0000-000000000001", "gpu_type": "B200", "gpu_count": 1}',
        b'{"instance": "00000000-0000-0000-0000-000000000001", "gpu_type": "H100", "gpu_count": 9}',
        b'{"instance": "00000000-0000-0000-0000-000000000001", "gpu_type": "H100", "gpu_count": "1"}',
        b'{"instance": "00000000-0000-0000-0000-000000000001", "gpu_type": "H100", "gpu_count": 1, "more": 1}',
    ],
)
def test_a_request_that_is_not_valid(machine: Machine, body: bytes) -> None:
    headers = {"Idempotency-Key": "one", "Content-Type": "application/json"}
    answer = machine.api.post("/v1/reservations", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("etag", ["1", '"x"', "*", 'W/"1"', '"1", "2"'])
def test_an_etag_is_one_that_was_given(machine: Machine, etag: str) -> None:
    its = machine.reserved()
    answer = machine.begin("start", its["id"], etag=etag)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


def test_what_is_not_there(machine: Machine) -> None:
    assert machine.api.get("/v1/nothing").json()["code"] == "not_found"
    assert machine.api.delete("/v1/nodes").json()["code"] == "method_not_allowed"
    assert machine.api.get("/v1/reservations/00000000-0000-0000-0000-000000000001").json()["code"] == "not_found"
    assert machine.api.get("/simulation/v1/faults").status_code == 404


def test_a_trace_is_found_in_the_logs(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    caplog.handler.setFormatter(logs.JsonFormatter())
    with caplog.at_level(logging.INFO):
        headers = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01", "X-Request-Id": "mine"}
        answer = machine.api.get("/v1/nodes", headers=headers)
    assert answer.headers["X-Request-Id"] == "mine"
    (line,) = [json.loads(line) for line in caplog.text.splitlines() if '"logger": "gpu_fleet.access"' in line]
    assert (line["trace_id"], line["request_id"], line["path"]) == (trace, "mine", "/v1/nodes")
    assert "controller-test-token" not in caplog.text


def test_a_full_disk_is_told_of_and_passes(machine: Machine) -> None:
    its = machine.reserved()
    machine.fill_disk(full=True)
    answers = [machine.reserve(key=f"{number:255}".replace(" ", "k"), gpu_count=1) for number in range(20)]
    refused = [answer for answer in answers if answer.status_code != 201]
    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(503, "unavailable")}
    assert machine.free("H100") == 14 - (20 - len(refused))
    machine.fill_disk(full=False)
    assert machine.get(its["id"])["state"] == "reserved"
    assert machine.reserve(gpu_count=1).status_code == 201


def test_probes(start: Start) -> None:
    machine = start()
    assert machine.probes.get("/healthz/live").status_code == 200
    assert machine.probes.get("/healthz/ready").status_code == 200
    machine.lose_store()
    assert machine.probes.get("/healthz/ready").status_code == 503
    assert machine.probes.get("/healthz/live").status_code == 200
