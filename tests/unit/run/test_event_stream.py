# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stream of a run: every event has its time and its run, fits the schema, and silence is broken."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events import model
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.emitter import Emitter, Record
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import (
    Check,
    Event,
    Image,
    Log,
    Note,
    Run,
    Step,
    Verdict,
    Wait,
)
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.wait_report import WaitReport
from ansible_collections.gpuaas.parity.tests.unit.run.fake_time import FakeTime

SCHEMA = json.loads((Path(__file__).resolve().parents[3] / "docs" / "events.schema.json").read_text())
VALID = jsonschema.Draft202012Validator(SCHEMA)

ALL: list[Event] = [
    Run("Up", check_mode=True),
    Step("cluster: Create it", "started"),
    Step("cluster: Create it", "changed", 12.3, True),
    Step("Await", "failed", 300.0, False, "other", "READY_TIMEOUT", "api is not ready", "make kind-parity-logs"),
    Wait("components", 12.0, "keycloak: starting", 3, 7, 300.0),
    Wait("cluster gpuaas-parity", 3.0),
    Image("node", "progress", text="kubernetes 2/5"),
    Image("node", "failed", seconds=61.0, reason="IMAGE_BUILD_FAILED"),
    Check("api-ready", "api", "ready", "ok", 4.2, 9),
    Check("api-entry", "api", "ingress", "failed", 4.2, 9, "HTTP_UNREACHABLE", "refused", "make kind-parity-status"),
    Note("installing docker.io"),
    Log("api", "started"),
    Verdict(True, 11, 0, 20.1, document={"ready": True}),
    Verdict(False, 3, 1, 2.0, True, "HOST_DISK", "1 GiB is free", "docker system prune"),
]


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def seen() -> list[Record]:
    return []


@pytest.fixture
def emit(time: FakeTime, seen: list[Record]) -> Emitter:
    emitter = Emitter(now=time.now, monotonic=time.monotonic)
    emitter.verb, emitter.mode, emitter.readers = "up", "kind", [seen.append]
    return emitter


@pytest.mark.parametrize("event", ALL, ids=lambda event: model.KINDS[type(event)])
def test_every_event_fits_the_schema(emit: Emitter, seen: list[Record], event: Event) -> None:
    emit(event)
    VALID.validate(json.loads(json.dumps(seen[0])))


def test_the_schema_knows_every_kind_and_every_field() -> None:
    assert {model.KINDS[type(event)] for event in ALL} == set(model.KINDS.values()) == set(SCHEMA["properties"]["event"]["enum"])
    for kind, name in model.KINDS.items():
        known = set(SCHEMA["$defs"][name]["properties"]) | set(SCHEMA["properties"])
        assert {field.name for field in dataclasses.fields(kind)} <= known


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"time": "2026-11-24 17:00"},
        {"event": "other"},
        {"status": "odd"},
        {"seconds": -1},
        {"step": None},
        {"reason": "no"},
    ],
)
def test_the_schema_refuses_what_is_no_event(emit: Emitter, seen: list[Record], change: dict[str, Any]) -> None:
    emit(Step("Await", "failed", 300.0, False, None, "READY_TIMEOUT", "api is not ready", "make it"))
    assert not VALID.is_valid({**seen[0], **change})


def test_a_reader_may_meet_fields_that_it_does_not_know(emit: Emitter, seen: list[Record]) -> None:
    emit(Note("x"))
    VALID.validate({**seen[0], "later": 1})


def test_an_event_says_when_in_utc_and_of_which_run(emit: Emitter, seen: list[Record]) -> None:
    emit(Run("Up"))
    emit(Note("x"))
    assert [record["time"] for record in seen] == ["2026-11-24T17:00:00.000Z"] * 2
    assert {(record["version"], record["verb"], record["mode"], record["run"]) for record in seen} == {(1, "up", "kind", emit.run)}
    assert Emitter().run != emit.run


def test_an_event_belongs_to_the_step_that_works(emit: Emitter, seen: list[Record]) -> None:
    emit(Note("before"))
    emit(Step("Await", "started"))
    emit(Note("in it"))
    emit(Step("Await", "ok", 1.0))
    emit(Note("after"))
    assert [record.get("step") for record in seen if record["event"] == "note"] == [None, "Await", None]


def test_what_an_event_does_not_say_is_left_out(emit: Emitter, seen: list[Record]) -> None:
    emit(Wait("x", 0.0))
    assert {"budget", "done", "total"} & set(seen[0]) == set()


# -- silence ---------------------------------------------------------------------------------


def pass_seconds(emit: Emitter, time: FakeTime, seconds: int) -> None:
    for _round in range(seconds):
        time.passed += 1
        emit.tick()


def test_what_works_in_silence_says_so_every_30_seconds(emit: Emitter, time: FakeTime, seen: list[Record]) -> None:
    emit(Step("Start it", "started"))
    pass_seconds(emit, time, 100)
    waits = seen[1:]
    assert [record["elapsed"] for record in waits] == [29.0, 58.0, 87.0]
    assert {(record["event"], record["step"], record["awaited"]) for record in waits} == {("wait", "Start it", "Start it")}


def test_it_says_what_it_waits_for_and_for_how_long(emit: Emitter, time: FakeTime, seen: list[Record]) -> None:
    emit(Step("Have the images", "started"))
    time.passed += 5
    emit(Wait("images", 5.0, "node [kubernetes 2/5]", 3, 12))
    pass_seconds(emit, time, 30)
    last = seen[-1]
    assert (last["awaited"], last["blocked_by"], last["done"], last["total"], last["elapsed"]) == (
        "images",
        "node [kubernetes 2/5]",
        3,
        12,
        34.0,
    )


def test_who_speaks_is_not_asked(emit: Emitter, time: FakeTime, seen: list[Record]) -> None:
    emit(Step("Await", "started"))
    for second in range(100):
        emit(Check(str(second), "api", "ready", "ok", 1.0, 1))
        pass_seconds(emit, time, 1)
    assert "wait" not in {record["event"] for record in seen}


@pytest.mark.parametrize("event", [Step("Await", "ok", 1.0), Verdict(True, 1, 0, 1.0), Log("api", "a line")])
def test_nothing_is_said_when_nothing_works_or_logs_are_shown(emit: Emitter, time: FakeTime, seen: list[Record], event: Event) -> None:
    emit(Step("Await", "started"))
    emit(event)
    pass_seconds(emit, time, 100)
    assert len(seen) == 2


# -- one wait --------------------------------------------------------------------------------


def test_a_wait_is_told_when_it_changes_and_at_most_once_a_second() -> None:
    events: list[Event] = []
    report = WaitReport(events.append, "components", 300)
    report.at(0.0, "api:  starting", 0, 2)
    for tenth in range(30):
        report.at(tenth / 10, "api: starting", 0, 2)
    report.at(3.0, "web: starting", 1, 2)
    report.at(3.5, "web: other", 1, 2)
    report.at(4.5, "web: other", 1, 2)
    assert events == [
        Wait("components", 0.0, "api: starting", 0, 2, 300),
        Wait("components", 3.0, "web: starting", 1, 2, 300),
        Wait("components", 4.5, "web: other", 1, 2, 300),
    ]


def test_a_wait_without_a_budget_has_none() -> None:
    events: list[Event] = []
    WaitReport(events.append, "components", 0).at(1.0)
    assert events == [Wait("components", 1.0)]
