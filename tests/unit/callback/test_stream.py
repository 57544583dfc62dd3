"""A run through Ansible itself: its events fit the schema, lie in its directory, and end with a verdict, also when interrupted."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.gpuaas.parity.tests.verbs.stream import events

ROOT = Path(__file__).resolve().parents[3]
SLEEP = {"name": "Work for long", "ansible.builtin.command": {"argv": ["sleep", "60"]}}


def run_state(state: str, directory: Path) -> dict[str, Any]:
    given = {"state": state, "state_dir": str(directory), "platform": str(ROOT / "platform"), "mode": "kind", "verb": "up"}
    return {"name": state, "gpuaas.parity.run_state": given}


def command(folder: Path, tasks: list[dict[str, Any]], output: str = "json") -> list[str]:
    """A playbook of these tasks, named up.yml, and how it is started."""
    (folder / "up.yml").write_text(yaml.safe_dump([{"name": "Up", "hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    settings = [f"ansible_python_interpreter={sys.executable}", "parity_mode=kind", f"parity_output={output}"]
    extra = [word for setting in settings for word in ("-e", setting)]
    return [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "-c", "local", *extra, str(folder / "up.yml")]


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "TERM": "xterm", "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "HOME": str(folder)}


def play(folder: Path, tasks: list[dict[str, Any]], output: str = "json") -> subprocess.CompletedProcess[str]:
    argv = command(folder, tasks, output)
    return subprocess.run(argv, capture_output=True, text=True, env=environment(folder), cwd=folder, check=False)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / ".parity" / "kind"


def test_standard_output_and_the_file_have_the_same_events(tmp_path: Path, directory: Path) -> None:
    done = play(tmp_path, [run_state("locked", directory), {"name": "Say it", "ansible.builtin.debug": {"msg": "it is said"}}])
    assert done.returncode == 0, done.stderr
    found = events(done.stdout)
    assert events((directory / "events.jsonl").read_text()) == found
    assert [(event["event"], event.get("status")) for event in found] == [
        ("run", None),
        ("step", "started"),
        ("step", "changed"),
        ("step", "started"),
        ("step", "ok"),
        ("note", None),
        ("verdict", None),
    ]
    assert {(event["run"], event["verb"], event["mode"]) for event in found} == {(found[0]["run"], "up", "kind")}
    assert (found[-1]["ok"], found[-1]["steps"], found[-1]["changed"]) == (True, 2, 1)


def test_down_leaves_no_file_and_still_gives_its_verdict(tmp_path: Path, directory: Path) -> None:
    done = play(tmp_path, [run_state("locked", directory), run_state("absent", directory)])
    assert done.returncode == 0, done.stderr
    assert events(done.stdout)[-1]["event"] == "verdict"
    assert not (tmp_path / ".parity").exists()


def test_a_run_that_has_no_directory_makes_none(tmp_path: Path) -> None:
    done = play(tmp_path, [{"name": "Say it", "ansible.builtin.debug": {"msg": "x"}}])
    assert events(done.stdout)[-1]["ok"] is True
    assert {path.name for path in tmp_path.iterdir()} <= {"up.yml", ".ansible"}


def test_check_mode_writes_nothing(tmp_path: Path, directory: Path) -> None:
    directory.mkdir(parents=True, mode=0o700)
    argv = [*command(tmp_path, [run_state("locked", directory)]), "--check"]
    done = subprocess.run(argv, capture_output=True, text=True, env=environment(tmp_path), cwd=tmp_path, check=False)
    assert events(done.stdout)[0]["check_mode"] is True
    assert list(directory.iterdir()) == []


def test_a_failure_exits_with_a_verdict_that_says_why(tmp_path: Path) -> None:
    (tmp_path / "kind").mkdir()
    (tmp_path / "kind" / "thesis.txt").write_text("x")
    done = play(tmp_path, [run_state("locked", tmp_path / "kind")])
    assert done.returncode != 0
    verdict = events(done.stdout)[-1]
    assert (verdict["ok"], verdict["reason"]) == (False, "STATE_DIR_UNSAFE")
    assert "thesis" not in verdict["do"] and verdict["seen"]
    assert "STATE_DIR_UNSAFE" in done.stderr


def lines_of(process: subprocess.Popen[str]) -> Iterator[str]:
    if process.stdout is not None:
        yield from process.stdout


def test_an_interrupted_run_ends_with_a_verdict(tmp_path: Path, directory: Path) -> None:
    argv = command(tmp_path, [run_state("locked", directory), SLEEP])
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment(tmp_path), cwd=tmp_path
    ) as process:
        shown = ""
        for line in lines_of(process):
            shown += line
            event = json.loads(line)
            if (event.get("step"), event.get("status")) == (SLEEP["name"], "started"):
                process.send_signal(signal.SIGINT)
    assert process.returncode != 0
    assert (events(shown)[-1]["event"], events(shown)[-1]["reason"]) == ("verdict", "RUN_INTERRUPTED")
    assert events((directory / "events.jsonl").read_text())[-1]["reason"] == "RUN_INTERRUPTED"


def test_a_reader_that_closes_early_does_not_stop_the_run(tmp_path: Path, directory: Path) -> None:
    tasks = [run_state("locked", directory), *({"name": f"Say {n}", "ansible.builtin.debug": {"msg": "x"}} for n in range(5))]
    argv = command(tmp_path, tasks)
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(tmp_path), cwd=tmp_path
    ) as process:
        if process.stdout is None or process.stderr is None:
            raise AssertionError
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
    assert process.returncode == 0, said
    assert "Broken pipe" not in said
    assert events((directory / "events.jsonl").read_text())[-1]["ok"] is True


def test_a_terminal_has_a_live_line_and_text(tmp_path: Path, directory: Path) -> None:
    leader, follower = pty.openpty()
    argv = command(tmp_path, [run_state("locked", directory)], output="text")
    with subprocess.Popen(argv, stdout=follower, stderr=follower, stdin=follower, env=environment(tmp_path), cwd=tmp_path) as process:
        os.close(follower)
        shown = b""
        while True:
            try:
                read = os.read(leader, 65536)
            except OSError:
                break
            if not read:
                break
            shown += read
    os.close(leader)
    assert process.returncode == 0
    text = shown.decode()
    assert "\r\x1b[J\r\n  working  locked  0 s\x1b[A\r" in text
    assert "changed  locked" in text and "ok in " in text
    # The last line is empty: what a shell writes next stands alone.
    assert text.endswith("\r\x1b[J")
