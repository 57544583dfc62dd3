"""The callback: every step is an event, of the run's own or of Ansible's, and no odd result stops it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.callback import progress
from ansible_collections.gpuaas.parity.plugins.callback.progress import CallbackModule, step_name
from ansible_collections.gpuaas.parity.plugins.module_utils._reports.words import failure_text
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events import channel
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import Wait
from ansible_collections.gpuaas.parity.tests.unit.run.fake_time import FakeTime


class Display:
    """What Ansible's would have written."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.err: list[str] = []
        self.live: list[str] = []
        self.warnings: list[str] = []
        self.verbosity = 0
        self.columns = 80

    def display(self, msg: str, color: str | None = None, stderr: bool = False, newline: bool = True, **_: Any) -> None:
        (self.live if not newline else self.err if stderr else self.out).append(msg)

    def warning(self, msg: str) -> None:
        self.warnings.append(msg)


def task(name: str = "gpuaas.parity.cluster : Create it", action: str = "x") -> Any:
    return SimpleNamespace(get_name=lambda: name, loop=None, action=action)


def result(data: Any, name: str = "gpuaas.parity.cluster : Create it", host: str = "localhost", action: str = "x") -> Any:
    changed = isinstance(data, dict) and bool(data.get("changed"))
    return SimpleNamespace(result=data, task=task(name, action), host=host, is_changed=lambda: changed)


def play(name: str = "Up", check: bool = False, **extra: Any) -> Any:
    return SimpleNamespace(get_name=lambda: name, check_mode=check, get_variable_manager=lambda: SimpleNamespace(extra_vars=extra))


def stats(**summary: int) -> Any:
    return SimpleNamespace(processed={"localhost": 1}, summarize=lambda _host: summary)


class Shown:
    """A callback on a clock that the test moves; it has begun to play unless ``begun`` says otherwise."""

    def __init__(self, verb: str = "up", begun: bool = True, check: bool = False, **extra: Any) -> None:
        self.time = FakeTime()
        self.display = Display()
        self.callback = CallbackModule(display=self.display, monotonic=self.time.monotonic)
        self.callback._emit.verb = verb
        if begun:
            self.callback.v2_playbook_on_play_start(play(check=check, **extra))
            self.display.out.clear()

    def step(self, seconds: float, data: Any, **given: Any) -> None:
        found = result(data, **given)
        self.callback.v2_playbook_on_task_start(found.task, False)
        self.time.passed += seconds
        if isinstance(data, dict) and data.get("failed"):
            self.callback.v2_runner_on_failed(found)
        elif isinstance(data, dict) and data.get("skipped"):
            self.callback.v2_runner_on_skipped(found)
        else:
            self.callback.v2_runner_on_ok(found)

    def events(self) -> list[dict[str, Any]]:
        """Standard output as a program reads it."""
        return [json.loads(line) for line in self.display.out]


@pytest.fixture
def shown() -> Iterator[Shown]:
    return Shown()


# -- as text -------------------------------------------------------------------------------------


def test_a_run_that_went_well(shown: Shown) -> None:
    shown.callback.v2_playbook_on_play_start(play())
    shown.step(0.2, {"changed": False})
    shown.step(13.24, {"changed": True})
    shown.step(10, {"changed": False}, name="Await every component")
    shown.step(0, {"skipped": True})
    shown.callback.v2_playbook_on_stats(stats(ok=3))
    assert shown.display.out == [
        "Up",
        "  changed  cluster: Create it  13.2 s",
        "  ok       Await every component  10.0 s",
        "ok in 23.4 s (3 steps, 1 changed)",
    ]


def test_a_failure_is_its_message_and_nothing_else(shown: Shown) -> None:
    ours = {"reason": "READY_TIMEOUT", "seen": "api", "do": "make x", "msg": "READY_TIMEOUT: api\n  -> make x"}
    shown.step(2, {"failed": True, **ours, "details": {"a": 1}, "stderr": "noise"})
    shown.callback.v2_playbook_on_stats(stats(failures=1))
    assert shown.display.out == [
        "  failed   cluster: Create it  2.0 s\n    READY_TIMEOUT: api\n      -> make x",
        "failed in 2.0 s (1 step, 0 changed): READY_TIMEOUT",
    ]


def test_the_first_failure_is_the_runs_and_a_rescued_one_is_not(shown: Shown) -> None:
    shown.step(1, {"failed": True, "msg": "no", "reason": "HOST_DISK", "seen": "full", "do": "make room"})
    shown.step(1, {"failed": True, "msg": "up did not succeed"})
    shown.callback.v2_playbook_on_stats(stats(rescued=1, failures=1))
    assert shown.display.out[-1] == "failed in 2.0 s (2 steps, 0 changed): HOST_DISK"
    other = Shown()
    other.step(1, {"failed": True, "msg": "no", "reason": "HOST_DISK"})
    other.callback.v2_playbook_on_stats(stats(rescued=1))
    assert other.display.out[-1] == "ok in 1.0 s (1 step, 0 changed)"


def test_a_host_that_cannot_be_reached_fails_the_run(shown: Shown) -> None:
    shown.callback.v2_runner_on_unreachable(result({"msg": "gone"}, host="other"))
    shown.callback.v2_runner_on_failed(result({"msg": "a consequence"}))
    verdicts: list[dict[str, Any]] = []
    shown.callback._emit.readers.append(verdicts.append)
    shown.callback.v2_playbook_on_stats(stats(unreachable=1))
    assert [(found["ok"], found["seen"]) for found in verdicts] == [(False, "gone")]


def test_ignored_and_unreachable(shown: Shown) -> None:
    shown.callback.v2_runner_on_failed(result({"msg": "no"}), ignore_errors=True)
    shown.callback.v2_runner_on_unreachable(result({"msg": "gone"}, host="other"))
    assert shown.display.out == ["  ignored  cluster: Create it  0.0 s", "  unreachable [other] cluster: Create it  0.0 s\n    gone"]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"msg": "no", "stderr": "1\n" * 30}, "no\n" + "\n".join(["1"] * 12)),
        ({"msg": ["a", 2]}, "a\n2"),
        ({"module_stdout": "out"}, "out"),
        ({"msg": None}, "failed without a message; run it again with -v"),
        ({"msg": {"odd": 1}}, "{'odd': 1}"),
    ],
)
def test_failures_of_others(shown: Shown, data: dict[str, Any], text: str) -> None:
    assert failure_text(data) == text
    shown.step(0, {**data, "failed": True})
    assert text.splitlines()[0] in shown.display.out[0]


def test_an_item_that_failed_is_named(shown: Shown) -> None:
    shown.callback.v2_runner_item_on_failed(result({"msg": "no such file"}))
    assert shown.display.out == ["  no such file"]


ODD: list[Any] = [
    None,
    [],
    "text",
    {"msg": object()},
    {"_parity_answer": 7},
    {"_parity_run_dir": 7},
    {"changed": True, "x": {1, 2}},
    {"diff": 3},
]


@pytest.mark.parametrize("data", ODD)
def test_odd_results_do_not_crash_it(data: Any) -> None:
    shown = Shown(parity_output="json")
    shown.display.verbosity = 1
    shown.step(0, data)
    shown.callback.v2_runner_on_failed(result(data))
    shown.callback.v2_on_file_diff(result(data))
    shown.callback.v2_playbook_on_stats(stats(failures=1))
    assert shown.events()[-1]["event"] == "verdict"


def test_the_screen_of_an_answer_is_printed_as_it_is(shown: Shown) -> None:
    shown.step(0, {"_parity_answer": {"lines": ["URL", 1], "document": {}}, "changed": False})
    assert shown.display.out == ["URL", "1"]


def test_what_a_role_announces_is_printed(shown: Shown) -> None:
    shown.step(0, {"msg": "starting the Docker engine", "changed": False}, action="ansible.builtin.debug")
    assert shown.display.out == ["  starting the Docker engine"]


def test_tasks_that_only_choose_others_are_no_steps(shown: Shown) -> None:
    shown.step(5, {"changed": False}, action="ansible.builtin.include_tasks")
    shown.callback.v2_playbook_on_stats(stats(ok=1))
    assert shown.display.out == ["ok in 5.0 s (0 steps, 0 changed)"]


def test_check_mode_says_so_and_changes_nothing() -> None:
    shown = Shown(begun=False)
    for name in ("Rotate", "Up"):
        shown.callback.v2_playbook_on_play_start(play(name, check=True))
    shown.step(0, {"changed": True})
    shown.callback.v2_playbook_on_stats(stats(ok=1))
    assert shown.display.out == [
        "check mode: nothing is changed",
        "Rotate",
        "Up",
        "  would change cluster: Create it  0.0 s",
        "ok in 0.0 s (1 step, 1 would change)",
    ]


def test_diffs(shown: Shown) -> None:
    shown.callback.v2_on_file_diff(result({"changed": True, "diff": {"before": "a\n", "after": "b\n"}}))
    shown.callback.v2_on_file_diff(result({"changed": True, "diff": [{"prepared": "+ new"}]}))
    shown.callback.v2_on_file_diff(result({"changed": False, "diff": {"before": "a\n", "after": "b\n"}}))
    assert len(shown.display.out) == 2
    assert "-a\n" in shown.display.out[0]
    assert shown.display.out[1] == "+ new"


def test_verbose_shows_every_result() -> None:
    shown = Shown(begun=False)
    shown.display.verbosity = 1
    shown.callback.v2_playbook_on_play_start(play())
    shown.step(0, {"changed": False, "answer": 42})
    assert shown.display.out[1] == "  ok       cluster: Create it  0.0 s"
    assert "42" in shown.display.out[2]


def test_a_terminal_has_a_live_line_and_elsewhere_there_is_none(monkeypatch: pytest.MonkeyPatch, shown: Shown) -> None:
    shown.step(0, {"changed": True})
    assert shown.display.live == []
    stream = io.StringIO()
    stream.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(progress.sys, "stdout", stream)
    monkeypatch.setenv("TERM", "xterm")
    terminal = Shown()
    terminal.step(0, {"changed": True}, name="x" * 200)
    (drawn,) = {text for text in terminal.display.live if "working" in text}
    assert drawn.startswith("\r\x1b[J\n  working  xxx") and len(drawn) < 90
    assert terminal.display.live[-1] == "\r\x1b[J"
    assert Shown(parity_output="json").display.live == []


def test_names() -> None:
    assert step_name(task("gpuaas.parity.host : Check\n it")) == "host: Check it"
    assert step_name(task("Alone")) == "Alone"
    assert step_name(task("up | Await it")) == "Await it"
    assert step_name(task("gpuaas.parity.cluster : sub | absent | Remove it")) == "cluster: Remove it"


def test_nobody_to_run_on(shown: Shown) -> None:
    shown.callback.v2_playbook_on_no_hosts_matched()
    assert "-i inventories/kind" in shown.display.out[0]


# -- what steps emit -----------------------------------------------------------------------------


def test_events_of_a_step_come_before_its_end() -> None:
    shown = Shown(parity_output="json")
    found = result({"changed": False})
    shown.callback.v2_playbook_on_task_start(found.task, False)
    emit = channel.sender()
    assert emit is not None
    emit(Wait("components", 1.0, "api: starting", 0, 7))
    shown.callback.v2_runner_on_ok(found)
    assert [(event["event"], event.get("status")) for event in shown.events()] == [("step", "started"), ("wait", None), ("step", "ok")]
    assert shown.events()[1]["step"] == "cluster: Create it"


# -- as JSON -------------------------------------------------------------------------------------


def test_for_a_machine_standard_output_has_events_alone_and_the_verdict_last() -> None:
    shown = Shown(begun=False)
    shown.callback.v2_playbook_on_play_start(play(parity_output="json", parity_mode="kind"))
    shown.step(1, {"changed": True, "_parity_answer": {"lines": ["a screen"], "document": {"ready": True}}})
    shown.callback.v2_playbook_on_stats(stats(ok=1))
    events = shown.events()
    assert [event["event"] for event in events] == ["run", "step", "step", "verdict"]
    verdict = events[-1]
    assert (verdict["ok"], verdict["steps"], verdict["changed"], verdict["document"]) == (True, 1, 1, {"ready": True})
    assert {(event["verb"], event["version"]) for event in events} == {("up", 1)}
    assert shown.display.err == ["Up", "  changed  cluster: Create it  1.0 s", "ok in 1.0 s (1 step, 1 changed)"]


def test_a_failure_is_in_the_verdict() -> None:
    shown = Shown(parity_output="json")
    shown.step(1, {"failed": True, "msg": "x", "reason": "HOST_DISK", "seen": "1 GiB is free", "do": "make room"})
    shown.step(1, {"failed": True, "msg": "up did not succeed"})
    shown.callback.v2_playbook_on_stats(stats(failures=1))
    verdict = shown.events()[-1]
    assert (verdict["ok"], verdict["reason"], verdict["seen"], verdict["do"]) == (False, "HOST_DISK", "1 GiB is free", "make room")


def test_a_run_that_was_interrupted_has_a_verdict_too_and_only_one() -> None:
    shown = Shown(parity_output="json")
    shown.step(1, {"changed": False})
    shown.callback._end(ok=False)
    shown.callback._end(ok=False)
    verdicts = [event for event in shown.events() if event["event"] == "verdict"]
    assert [(verdict["ok"], verdict["reason"]) for verdict in verdicts] == [(False, "RUN_INTERRUPTED")]


@pytest.mark.parametrize("verb", ["status", "diff", "doctor"])
def test_a_question_is_answered_with_one_document(verb: str) -> None:
    shown = Shown(verb, parity_output="json")
    shown.step(
        1, {"_parity_answer": {"lines": ["a screen"], "document": {"ready": False}}, "failed": True, "msg": "x", "reason": "NOT_READY"}
    )
    shown.callback.v2_playbook_on_stats(stats(failures=1))
    assert json.loads("".join(shown.display.out)) == {"ready": False}
    assert shown.display.err[-1].endswith("NOT_READY")


def test_an_answer_may_be_that_there_is_nothing() -> None:
    shown = Shown("list", parity_output="json")
    shown.step(1, {"_parity_answer": {"lines": ["no platform stands on this machine"], "document": []}})
    shown.callback.v2_playbook_on_stats(stats())
    assert json.loads("".join(shown.display.out)) == []


def test_a_question_that_could_not_be_asked_is_answered_with_why() -> None:
    shown = Shown("diff", parity_output="json")
    shown.step(1, {"failed": True, "msg": "x", "reason": "CONTRACT_UNKNOWN_MODE", "seen": "there is no mode x", "do": "make it"})
    shown.callback.v2_playbook_on_stats(stats(failures=1))
    assert json.loads("".join(shown.display.out)) == {"reason": "CONTRACT_UNKNOWN_MODE", "seen": "there is no mode x", "do": "make it"}


def test_a_reader_that_has_seen_enough_does_not_stop_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Shown(parity_output="json")
    with (tmp_path / "out").open("w") as out:
        monkeypatch.setattr(progress.sys, "stdout", out)

        def gone(*_: Any, **__: Any) -> None:
            raise BrokenPipeError

        monkeypatch.setattr(shown.display, "display", gone)
        shown.step(1, {"changed": True})
        shown.callback.v2_playbook_on_stats(stats(ok=1))
        out.write("later")
    assert (tmp_path / "out").read_text() == ""


# -- events.jsonl ----------------------------------------------------------------------------------


def test_events_are_kept_from_the_step_on_that_has_the_directory(shown: Shown, tmp_path: Path) -> None:
    shown.step(0, {"changed": False}, name="Before")
    assert list(tmp_path.iterdir()) == []
    shown.step(0, {"changed": True, "_parity_run_dir": str(tmp_path)}, name="Begin the run")
    shown.callback.v2_playbook_on_stats(stats(ok=2))
    kept = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert [(event["event"], event.get("step")) for event in kept] == [
        ("run", None),
        ("step", "Before"),
        ("step", "Before"),
        ("step", "Begin the run"),
        ("step", "Begin the run"),
        ("verdict", None),
    ]
    assert (tmp_path / "events.jsonl").stat().st_mode & 0o077 == 0


def test_a_file_that_cannot_be_written_is_a_warning_and_no_failure(shown: Shown, tmp_path: Path) -> None:
    shown.step(0, {"changed": True, "_parity_run_dir": str(tmp_path / "gone")})
    shown.step(0, {"changed": True})
    shown.callback.v2_playbook_on_stats(stats(ok=1))
    assert len(shown.display.warnings) == 1 and "events.jsonl" in shown.display.warnings[0]
    assert shown.display.out[-1].startswith("ok in")
