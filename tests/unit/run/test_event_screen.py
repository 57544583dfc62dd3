# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person sees of a run: one live line on a terminal, few lines elsewhere, and no silence."""

from __future__ import annotations

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.emitter import Emitter
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
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.screen import Screen
from ansible_collections.gpuaas.parity.tests.unit.run.fake_time import FakeTime

CLEAR = "\r\x1b[J"


def drawn(text: str) -> str:
    """A live line as it is drawn: below the cursor, which goes back."""
    return f"{CLEAR}\n{text}\x1b[A\r"


class Shown:
    """A screen on a clock that the test moves, and what it wrote."""

    def __init__(self, terminal: bool = False, width: int = 80, everything: bool = False) -> None:
        self.time = FakeTime()
        self.lines: list[str] = []
        self.tones: list[str] = []
        self.at: list[float] = []
        self.live: list[str] = []
        live = self.live.append if terminal else None
        self.screen = Screen(self._write, live, width=lambda: width, everything=everything, monotonic=self.time.monotonic)
        self.emit = Emitter(now=self.time.now, monotonic=self.time.monotonic)
        self.emit.readers = [self.screen]

    def _write(self, text: str, tone: str = "") -> None:
        self.lines.append(text)
        self.tones.append(tone)
        self.at.append(self.time.passed)

    def pass_seconds(self, seconds: int) -> None:
        for _round in range(seconds):
            self.time.passed += 1
            self.emit.tick()
            self.screen.tick()


@pytest.fixture
def log() -> Shown:
    return Shown()


@pytest.fixture
def terminal() -> Shown:
    return Shown(terminal=True)


# -- lines that stay -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "lines", "tone"),
    [
        (Run("Up"), ["Up"], ""),
        (Note("starting the Docker engine"), ["  starting the Docker engine"], ""),
        (Note("these change:\n  libc6"), ["  these change:\n    libc6"], ""),
        (Step("cluster: Create it", "changed", 13.24, True), ["  changed  cluster: Create it  13.2 s"], "changed"),
        (Step("cluster: Create it", "would-change", 0.0, True), ["  would change cluster: Create it  0.0 s"], "changed"),
        (Step("Await", "ok", 10.0, False), ["  ok       Await  10.0 s"], "ok"),
        (Step("Await", "ignored", 0.0), ["  ignored  Await  0.0 s"], "warning"),
        (Step("Await", "unreachable", 0.0, False, "other", None, "gone"), ["  unreachable [other] Await  0.0 s\n    gone"], "error"),
        (
            Step("Await", "failed", 2.0, False, None, "READY_TIMEOUT", "api", "make x"),
            ["  failed   Await  2.0 s\n    READY_TIMEOUT: api\n      -> make x"],
            "error",
        ),
        (Verdict(True, 3, 1, 23.44), ["ok in 23.4 s (3 steps, 1 changed)"], "ok"),
        (Verdict(True, 1, 1, 0.0, True), ["ok in 0.0 s (1 step, 1 would change)"], "ok"),
        (
            Verdict(False, 1, 0, 2.0, False, "READY_TIMEOUT", "api", "make x"),
            ["failed in 2.0 s (1 step, 0 changed): READY_TIMEOUT"],
            "error",
        ),
        (Step("Quick", "ok", 0.2, False), [], ""),
        (Step("Quick", "skipped", 0.0), [], ""),
        (Step("Quick", "started"), [], ""),
        (Check("api-ready", "api", "ready", "ok", 1.0, 1), [], ""),
        (Image("node", "built", seconds=61.0), [], ""),
    ],
)
def test_what_is_written_of_an_event(log: Shown, event: Event, lines: list[str], tone: str) -> None:
    log.emit(event)
    assert log.lines == lines
    assert log.tones == [tone][: len(lines)]


def test_with_everything_a_short_step_has_a_line_too() -> None:
    shown = Shown(everything=True)
    shown.emit(Step("Quick", "ok", 0.2, False))
    assert shown.lines == ["  ok       Quick  0.2 s"]


def test_logs_are_aligned_and_coloured_by_component(log: Shown) -> None:
    for component in ("api", "postgres-exporter", "api"):
        log.emit(Log(component, "ready"))
    assert log.lines == ["api      | ready", "postgres-exporter | ready", "api               | ready"]
    assert log.tones == ["cyan", "green", "cyan"]


# -- a log that is no terminal -----------------------------------------------------------------


def test_a_step_of_which_nothing_is_known_says_that_it_works(log: Shown) -> None:
    log.emit(Step("compose: Start what does not run", "started"))
    log.pass_seconds(70)
    assert log.lines == ["  working  compose: Start what does not run  29 s", "  working  compose: Start what does not run  58 s"]


def test_a_build_of_17_minutes_is_never_silent_for_30_seconds(log: Shown) -> None:
    log.emit(Step("images: Have every image", "started"))
    for second in range(17 * 60):
        if second == 3:
            log.emit(Wait("images", 3.0, "node", 0, 2))
        if second % 100 == 50:
            log.emit(Wait("images", float(second), f"node [kubernetes {second}]", second // 500, 2))
        log.pass_seconds(1)
    log.emit(Step("images: Have every image", "changed", 1020.0, True))
    gaps = [after - before for before, after in zip([0.0, *log.at], log.at, strict=False)]
    assert max(gaps) <= 30
    assert len(log.lines) < 60
    assert "  waiting  images 0/2  50 s  node [kubernetes 50]" in log.lines


def test_steps_that_are_too_short_for_a_line_are_no_silence_either(log: Shown) -> None:
    for n in range(100):
        log.emit(Step(f"Step {n}", "started"))
        log.time.passed += 0.9
        log.emit.tick()
        log.screen.tick()
        log.emit(Step(f"Step {n}", "ok", 0.9, False))
    gaps = [after - before for before, after in zip([0.0, *log.at], log.at, strict=False)]
    assert gaps and max(gaps) <= 30


def test_a_wait_has_a_line_when_more_of_it_is_there_but_not_for_every_event(log: Shown) -> None:
    log.emit(Step("Await every component", "started"))
    for second in range(30):
        log.emit(Wait("components", float(second), f"api: look {second}", second // 12, 7, 300.0))
        log.pass_seconds(1)
    assert log.lines == [
        "  waiting  components 0/7  5 s of 300 s  api: look 4",
        "  waiting  components 1/7  12 s of 300 s  api: look 12",
        "  waiting  components 1/7  22 s of 300 s  api: look 21",
        "  waiting  components 2/7  27 s of 300 s  api: look 26",
    ]


def test_a_change_that_came_too_soon_for_a_line_is_told_later(log: Shown) -> None:
    log.emit(Step("Await", "started"))
    log.emit(Wait("components", 0.0, "api: starting", 0, 2))
    log.pass_seconds(6)
    log.emit(Wait("components", 6.0, "web: starting", 1, 2))
    log.pass_seconds(10)
    assert log.lines == ["  waiting  components 0/2  5 s  api: starting", "  waiting  components 1/2  10 s  web: starting"]


def test_a_short_wait_says_nothing(log: Shown) -> None:
    log.emit(Step("Run every check", "started"))
    log.emit(Wait("components", 0.0, "api: looking", 0, 2))
    log.pass_seconds(4)
    log.emit(Step("Run every check", "ok", 4.0, False))
    assert log.lines == ["  ok       Run every check  4.0 s"]


# -- a terminal ----------------------------------------------------------------------------------


def test_a_terminal_has_one_live_line_whose_seconds_pass(terminal: Shown) -> None:
    terminal.emit(Step("cluster: Create it", "started"))
    terminal.emit(Wait("cluster gpuaas-parity", 0.0, "preparing nodes"))
    terminal.pass_seconds(2)
    assert terminal.live[0] == drawn("  working  cluster: Create it  0 s")
    assert terminal.live[-1] == drawn("  waiting  cluster gpuaas-parity  2 s  preparing nodes")
    assert terminal.lines == []


def test_it_stays_alive_in_a_long_silence_without_a_line(terminal: Shown) -> None:
    terminal.emit(Step("compose: Start it", "started"))
    terminal.pass_seconds(100)
    assert terminal.live[-1] == drawn("  working  compose: Start it  100 s")
    assert terminal.lines == []


def test_a_line_that_stays_takes_its_place_and_it_comes_back_below(terminal: Shown) -> None:
    terminal.emit(Step("Await", "started"))
    terminal.emit(Note("read this"))
    assert terminal.lines == ["  read this"]
    assert terminal.live[-2:] == [CLEAR, drawn("  working  Await  0 s")]
    terminal.emit(Step("Await", "changed", 1.0, True))
    assert terminal.live[-1] == CLEAR


def test_it_fits_the_terminal_and_is_not_drawn_for_every_event() -> None:
    shown = Shown(terminal=True, width=40)
    shown.emit(Step("x" * 100, "started"))
    for n in range(50):
        shown.emit(Wait("components", 0.0, f"api: look {n}", 0, 2))
    assert shown.live == [drawn(f"  working  {'x' * 27}…")]


def test_shown_logs_have_no_live_line_between_them(terminal: Shown) -> None:
    terminal.emit(Step("Show the logs", "started"))
    terminal.emit(Log("api", "ready"))
    before = len(terminal.live)
    terminal.pass_seconds(60)
    assert len(terminal.live) == before and terminal.live[-1] == CLEAR


def test_at_the_end_the_line_is_empty(terminal: Shown) -> None:
    terminal.emit(Step("Await", "started"))
    terminal.screen.close()
    assert terminal.live[-1] == CLEAR
