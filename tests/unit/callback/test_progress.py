"""The callback: calm lines, whole failures, a log, and no crash on odd results."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.callback import progress
from ansible_collections.gpuaas.parity.plugins.callback.progress import CallbackModule, task_name
from ansible_collections.gpuaas.parity.plugins.module_utils._reports.words import failure_text


class Screen:
    """What a Display would have written."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.err: list[str] = []
        self.live: list[str] = []
        self.verbosity = 0
        self.columns = 80

    def display(self, msg: str, color: str | None = None, stderr: bool = False, newline: bool = True, **_: Any) -> None:
        (self.live if not newline else self.err if stderr else self.out).append(msg)


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


def task(name: str = "gpuaas.parity.cluster : Create it") -> Any:
    return SimpleNamespace(get_name=lambda: name, loop=None, action="x")


def result(data: Any, name: str = "gpuaas.parity.cluster : Create it", host: str = "localhost") -> Any:
    changed = isinstance(data, dict) and bool(data.get("changed"))
    return SimpleNamespace(result=data, task=task(name), host=host, is_changed=lambda: changed)


def play(name: str = "Up", check: bool = False, **extra: Any) -> Any:
    return SimpleNamespace(get_name=lambda: name, check_mode=check, get_variable_manager=lambda: SimpleNamespace(extra_vars=extra))


def stats(**summary: int) -> Any:
    return SimpleNamespace(processed={"localhost": 1}, summarize=lambda _host: summary)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    fake = Time()
    monkeypatch.setattr(progress, "time", fake)
    return fake


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch, time: Time) -> Iterator[CallbackModule]:
    monkeypatch.setenv("PARITY_TTY", "")
    yield CallbackModule(display=Screen())


def step(show: CallbackModule, time: Time, seconds: float, data: Any, **given: Any) -> None:
    found = result(data, **given)
    show.v2_playbook_on_task_start(found.task, False)
    time.now += seconds
    if isinstance(data, dict) and data.get("failed"):
        show.v2_runner_on_failed(found)
    else:
        show.v2_runner_on_ok(found)


def test_a_run_that_went_well(show: CallbackModule, time: Time) -> None:
    show.v2_playbook_on_play_start(play())
    step(show, time, 0.2, {"changed": False})
    step(show, time, 13.24, {"changed": True})
    step(show, time, 10, {"changed": False}, name="Await every component")
    show.v2_runner_on_skipped(result({"skipped": True}))
    show.v2_playbook_on_stats(stats(ok=3))
    assert show._display.out == [
        "Up",
        "  changed  cluster: Create it  13.2 s",
        "  ok       Await every component  10.0 s",
        "ok in 23.4 s (3 steps, 1 changed)",
    ]


def test_a_failure_is_its_message_and_nothing_else(show: CallbackModule, time: Time) -> None:
    data = {"failed": True, "msg": "READY_TIMEOUT: api\n  -> make x", "reason": "READY_TIMEOUT", "details": {"a": 1}, "stderr": "noise"}
    step(show, time, 2, data)
    show.v2_playbook_on_stats(stats(failures=1))
    assert show._display.out == [
        "  failed   cluster: Create it  2.0 s",
        "    READY_TIMEOUT: api\n      -> make x",
        "failed in 2.0 s (1 step, 0 changed): READY_TIMEOUT",
    ]


def test_a_rescued_failure_is_not_the_runs(show: CallbackModule, time: Time) -> None:
    step(show, time, 1, {"failed": True, "msg": "no", "reason": "X"})
    show.v2_playbook_on_stats(stats(rescued=1))
    assert show._display.out[-1] == "ok in 1.0 s (1 step, 0 changed)"


def test_ignored_and_unreachable(show: CallbackModule) -> None:
    show.v2_runner_on_failed(result({"msg": "no"}), ignore_errors=True)
    show.v2_runner_on_unreachable(result({"msg": "gone"}, host="other"))
    assert show._display.out == ["  ignored  cluster: Create it  0.0 s", "  unreachable [other] cluster: Create it  0.0 s", "    gone"]


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
def test_failures_of_others(data: dict[str, Any], text: str) -> None:
    assert failure_text(data) == text


@pytest.mark.parametrize("data", [None, [], "text", {"msg": object()}, {"_parity_lines": 7}, {"changed": True, "x": {1, 2}}, {"diff": 3}])
def test_odd_results_do_not_crash_it(show: CallbackModule, time: Time, data: Any) -> None:
    show._display.verbosity = 1
    step(show, time, 0, data)
    show._failed(result(data))
    show.v2_on_file_diff(result(data))


def test_lines_of_a_result_are_printed_as_they_are(show: CallbackModule, time: Time) -> None:
    step(show, time, 0, {"_parity_lines": ["URL", 1], "changed": False})
    assert show._display.out == ["URL", "1"]


def test_what_a_role_announces_is_printed(show: CallbackModule, time: Time) -> None:
    found = result({"msg": "starting the Docker engine", "changed": False})
    found.task.action = "ansible.builtin.debug"
    show.v2_runner_on_ok(found)
    assert show._display.out == ["  starting the Docker engine"]


def test_for_a_machine_only_those_lines_are_on_standard_output(show: CallbackModule, time: Time) -> None:
    show.v2_playbook_on_play_start(play(parity_output="json"))
    step(show, time, 0, {"_parity_lines": ['{"ready": false}'], "failed": True, "msg": "NOT_READY: x", "reason": "NOT_READY"})
    show.v2_playbook_on_stats(stats(failures=1))
    assert json.loads("".join(show._display.out)) == {"ready": False}
    assert [line.strip().partition(" ")[0] for line in show._display.err] == ["Up", "failed", "NOT_READY:", "failed"]


def test_check_mode_says_so_and_changes_nothing(show: CallbackModule, time: Time) -> None:
    show.v2_playbook_on_play_start(play(check=True))
    step(show, time, 0, {"changed": True})
    show.v2_playbook_on_stats(stats(ok=1))
    assert show._display.out[0] == "check mode: nothing is changed"
    assert show._display.out[2].startswith("  would change")
    assert show._display.out[-1] == "ok in 0.0 s (1 step, 1 would change)"


def test_diffs(show: CallbackModule) -> None:
    show.v2_on_file_diff(result({"changed": True, "diff": {"before": "a\n", "after": "b\n"}}))
    show.v2_on_file_diff(result({"changed": True, "diff": [{"prepared": "+ new"}]}))
    show.v2_on_file_diff(result({"changed": False, "diff": {"before": "a\n", "after": "b\n"}}))
    assert len(show._display.out) == 2
    assert "-a\n" in show._display.out[0]
    assert show._display.out[1] == "+ new"


def test_verbose_shows_every_result(show: CallbackModule, time: Time) -> None:
    show._display.verbosity = 1
    step(show, time, 0, {"changed": False, "answer": 42})
    assert show._display.out[0] == "  ok       cluster: Create it  0.0 s"
    assert "42" in show._display.out[1]


def test_a_terminal_has_one_live_line(monkeypatch: pytest.MonkeyPatch, time: Time) -> None:
    stream = io.StringIO()
    stream.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(progress.sys, "stdout", stream)
    monkeypatch.setenv("PARITY_TTY", "")
    show = CallbackModule(display=Screen())
    assert os.environ["PARITY_TTY"] == "1"
    step(show, time, 0, {"changed": True}, name="x" * 200)
    assert show._display.live[0] == "\r\x1b[2K  " + "x" * 76 + "\r"
    assert show._display.live[1] == "\r\x1b[2K"


def test_no_terminal_no_live_line(show: CallbackModule, time: Time) -> None:
    assert os.environ["PARITY_TTY"] == "0"
    step(show, time, 0, {"changed": True})
    assert show._display.live == []


def test_the_log_holds_everything_from_the_moment_its_directory_exists(show: CallbackModule, time: Time, tmp_path: Path) -> None:
    file = tmp_path / "logs" / "up.log"
    options = {"log_path": str(file), "result_format": "json"}
    show.get_option = lambda name, hostvars=None: options.get(name)  # type: ignore[method-assign]
    show.v2_playbook_on_start(SimpleNamespace(_file_name="up.yml"))
    step(show, time, 0.1, {"changed": False, "answer": 42})
    assert not file.parent.exists()
    file.parent.mkdir()
    step(show, time, 0.1, {"failed": True, "msg": "no"})
    show.v2_playbook_on_stats(stats(failures=1))
    text = file.read_text()
    for part in ("playbook up.yml", "task cluster: Create it", "ok       cluster: Create it 0.1s", '"answer": 42', "failed in 0.2 s"):
        assert part in text
    assert file.stat().st_mode & 0o077 == 0


def test_names() -> None:
    assert task_name(task("gpuaas.parity.host : Check\n it")) == "host: Check it"
    assert task_name(task("Alone")) == "Alone"
    assert task_name(task("up | Await it")) == "Await it"
    assert task_name(task("gpuaas.parity.cluster : sub | absent | Remove it")) == "cluster: Remove it"


def test_nobody_to_run_on(show: CallbackModule) -> None:
    show.v2_playbook_on_no_hosts_matched()
    assert "-i inventories/kind" in show._display.out[0]
