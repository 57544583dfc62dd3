"""What a run is told of its checks: how the wait stands, and every verdict once."""

from __future__ import annotations

import datetime
import io
import stat
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine import model
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.engine import State
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.heartbeat import Heartbeat
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Observation, Result, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.probe_log import ProbeLog, open_log
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import Check, Event, Wait

NOW = datetime.datetime(2026, 11, 21, 10, 0, tzinfo=datetime.UTC)
STARTING = failed("WORKLOAD_NOT_READY", "pod keycloak-0\n starting (0/1)")


def check(name: str) -> model.Check:
    return model.Check(name, name.partition("_")[0], "ready", "up", "x", None)  # type: ignore[arg-type]


def states(**seen: Observation | None) -> list[State]:
    made = []
    for name, observation in seen.items():
        state = State(check(name))
        if observation:
            state.last, state.attempts = observation, 1
            state.finished_at = 100.0 if observation.ok else None
        made.append(state)
    return made


def waits(events: list[Event]) -> list[Event]:
    return [event for event in events if isinstance(event, Wait)]


def test_a_wait_says_how_many_components_are_ready_and_what_blocks() -> None:
    events: list[Event] = []
    Heartbeat(events.append, 180)(states(api=passed("up"), keycloak=STARTING, web=None), 12.34)
    assert waits(events) == [Wait("components", 12.3, "keycloak: pod keycloak-0 starting (0/1)", 1, 3, 180)]


def test_a_component_is_ready_when_all_its_checks_are() -> None:
    events: list[Event] = []
    Heartbeat(events.append, 60)(states(api_ready=passed("a"), api_entry=STARTING), 1)
    assert waits(events) == [Wait("components", 1, "api: pod keycloak-0 starting (0/1)", 0, 1, 60)]


def test_a_check_that_nobody_looked_at_blocks_last() -> None:
    events: list[Event] = []
    beat = Heartbeat(events.append, 0)
    beat(states(a=None), 0.0)
    beat(states(a=passed("up")), 2.0)
    assert waits(events) == [Wait("components", 0.0, "a: looking", 0, 1), Wait("components", 2.0, "", 1, 1)]


def test_every_check_has_its_verdict_once() -> None:
    events: list[Event] = []
    beat = Heartbeat(events.append, 60)
    for elapsed in (4.0, 5.0):
        beat(states(api=passed("up"), web=STARTING), elapsed)
    beat.end(
        [
            Result(check("api"), True, "up", "", "", 4.0, 1),
            Result(check("web"), False, "not ready after 60 s", "READY_TIMEOUT", "make x", 60.0, 99),
        ]
    )
    assert [event for event in events if isinstance(event, Check)] == [
        Check("api", "api", "ready", "ok", 4.0, 1),
        Check("web", "web", "ready", "failed", 60.0, 99, "READY_TIMEOUT", "not ready after 60 s", "make x"),
    ]


# -- the log of all probes -----------------------------------------------------------------------


def test_the_log_has_every_change_once_with_its_time_and_traceback() -> None:
    file = io.StringIO()
    log = ProbeLog(file, now=lambda: NOW)
    log(states(a=None))
    crash = failed("CHECK_ERROR", "boom", traceback="Traceback ...\n")
    for seen in (STARTING, STARTING, crash, passed("up")):
        log(states(a=seen))
    assert file.getvalue().splitlines() == [
        "2026-11-21T10:00:00.000+00:00 a: WORKLOAD_NOT_READY: pod keycloak-0",
        " starting (0/1)",
        "2026-11-21T10:00:00.000+00:00 a: CHECK_ERROR: boom",
        "Traceback ...",
        "2026-11-21T10:00:00.000+00:00 a: ok: up",
    ]


def test_the_log_file_is_private_and_grows(tmp_path: Path) -> None:
    for text in ("one\n", "two\n"):
        with open_log(tmp_path) as log:
            log.write(text)
    file = tmp_path / "logs" / "probe.log"
    assert file.read_text() == "one\ntwo\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
