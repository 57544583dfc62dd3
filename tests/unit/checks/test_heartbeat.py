"""The sign of life: one live line on a terminal, few lines elsewhere, everything in the log."""

from __future__ import annotations

import datetime
import io
import stat
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.engine import State
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.heartbeat import Heartbeat, open_log
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Check, Observation, failed, passed

NOW = datetime.datetime(2026, 11, 21, 10, 0, tzinfo=datetime.UTC)


def states(**seen: Observation | None) -> list[State]:
    made = []
    for name, observation in seen.items():
        state = State(Check(name, name.partition("_")[0], "ready", "up", "x", None))  # type: ignore[arg-type]
        if observation:
            state.last, state.attempts = observation, 1
        made.append(state)
    return made


STARTING = failed("WORKLOAD_NOT_READY", "pod keycloak-0\n starting (0/1)")


def test_a_terminal_has_one_live_line_that_is_cleared() -> None:
    out: list[str] = []
    beat = Heartbeat(print, out.append, 180)
    beat(states(api=passed("up"), keycloak=STARTING, web=None), 12.3)
    assert out == ["\r\x1b[2K  waiting  1/3 ready  12s of 180s  keycloak: pod keycloak-0 starting (0/1)"]
    beat(states(api=passed("up"), keycloak=STARTING, web=None), 12.4)
    assert len(out) == 1
    beat.clear()
    assert out[-1] == "\r\x1b[2K"


def test_the_live_line_fits_the_terminal() -> None:
    out: list[str] = []
    Heartbeat(print, out.append, 180, width=40)(states(keycloak=failed("X", "long " * 50)), 1)
    assert len(out[0].removeprefix("\r\x1b[2K")) < 40
    assert out[0].endswith("…")


def test_a_component_is_ready_when_all_its_checks_are() -> None:
    out: list[str] = []
    Heartbeat(print, out.append, 60)(states(api_ready=passed("a"), api_entry=STARTING), 1)
    assert "0/1 ready" in out[0]


def test_elsewhere_a_line_stands_only_for_a_change() -> None:
    lines: list[str] = []
    beat = Heartbeat(lines.append, None, 180)
    beat(states(a=None, b=None), 0.1)
    beat(states(a=STARTING, b=STARTING), 1.5)
    for tenth in range(16, 60):
        beat(states(a=STARTING, b=STARTING), tenth / 10)
    assert len(lines) == 1
    beat(states(a=passed("x"), b=STARTING), 6.1)
    assert len(lines) == 2
    other = failed("WORKLOAD_NOT_READY", "another blocker")
    beat(states(a=passed("x"), b=other), 7)
    assert len(lines) == 2
    beat(states(a=passed("x"), b=other), 17)
    assert lines[-1] == "  waiting  1/2 ready  17s of 180s  b: another blocker"
    beat.clear()
    assert len(lines) == 3


def test_a_single_look_says_nothing_on_the_way() -> None:
    lines: list[str] = []
    Heartbeat(lines.append, None, 0)(states(a=STARTING), 5)
    assert lines == []


def test_the_log_has_every_change_once_with_its_time_and_traceback() -> None:
    log = io.StringIO()
    beat = Heartbeat(print, None, 60, log, now=lambda: NOW)
    beat(states(a=None), 0)
    crash = failed("CHECK_ERROR", "boom", traceback="Traceback ...\n")
    for seen in (STARTING, STARTING, crash, passed("up")):
        beat(states(a=seen), 0.5)
    assert log.getvalue().splitlines() == [
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
