# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting programs: what they print, how they fail, and that none outlives its time."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import clean_env, run, tail
from ansible_collections.gpuaas.parity.plugins.module_utils._run.stream import stream

SH = "/bin/sh"


def test_output_and_status_are_returned() -> None:
    done = run([SH, "-c", "cat; echo err >&2"], input="in")
    assert (done.stdout, done.stderr, done.rc) == ("in", "err\n", 0)


def test_a_failure_quotes_the_end_of_standard_error() -> None:
    with pytest.raises(ParityError) as caught:
        run([SH, "-c", "echo first >&2; echo last >&2; exit 3"])
    assert caught.value.reason == "COMMAND_FAILED"
    assert "status 3" in caught.value.seen and "last" in caught.value.seen
    assert caught.value.details["rc"] == 3


def test_a_failure_is_a_value_when_it_is_asked_for() -> None:
    assert run([SH, "-c", "exit 4"], check=False).rc == 4


@pytest.mark.parametrize("program", ["/nonexistent/program", "/etc/passwd"])
def test_what_cannot_be_started_is_named(program: str) -> None:
    with pytest.raises(ParityError) as caught:
        run([program])
    assert caught.value.reason == "COMMAND_MISSING"
    assert program in caught.value.seen


def test_a_program_is_killed_when_its_time_is_over() -> None:
    begun = time.monotonic()
    with pytest.raises(ParityError) as caught:
        run([SH, "-c", "echo so far; exec sleep 30"], timeout=0.2)
    assert caught.value.reason == "COMMAND_TIMEOUT"
    assert "so far" in caught.value.seen
    assert time.monotonic() - begun < 10


def test_a_clean_environment_holds_nothing_of_the_shell_but_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/somewhere")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/user/1000/docker.sock")
    env = clean_env({"EXTRA": "1"})
    assert "KUBECONFIG" not in env and "HTTPS_PROXY" not in env
    assert env["DOCKER_HOST"] == "unix:///run/user/1000/docker.sock"
    assert env["EXTRA"] == "1" and env["PATH"] == os.environ["PATH"]


def test_tail_drops_empty_lines() -> None:
    assert tail("a\n\nb\n  \nc\n", 2) == "b\nc"


def test_lines_come_while_the_program_works(tmp_path: Path) -> None:
    lines: list[str] = []
    pids: list[int] = []
    log = tmp_path / "logs" / "x.log"
    done = stream([SH, "-c", "echo one; echo two >&2; printf three"], lines.append, timeout=10, log=log, on_start=pids.append)
    assert lines == ["one", "two", "three"]
    assert done.stdout == "one\ntwo\nthree"
    assert log.read_text() == "one\ntwo\nthree\n"
    assert log.stat().st_mode & 0o777 == 0o600
    assert pids and pids[0] > 1


def test_a_streamed_failure_quotes_what_was_said() -> None:
    with pytest.raises(ParityError) as caught:
        stream([SH, "-c", "echo why; exit 1"], lambda _line: None, timeout=10)
    assert caught.value.reason == "COMMAND_FAILED" and "why" in caught.value.seen


def test_a_streamed_program_is_ended_when_its_time_is_over() -> None:
    with pytest.raises(ParityError) as caught:
        stream([SH, "-c", "echo on it; exec sleep 30"], lambda _line: None, timeout=0.3)
    assert caught.value.reason == "COMMAND_TIMEOUT" and "on it" in caught.value.seen


def test_an_interrupt_ends_the_streamed_program() -> None:
    pids: list[int] = []

    def interrupt(_line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stream(
            [sys.executable, "-c", "import time; print(1, flush=True); time.sleep(60)"],
            interrupt,
            timeout=30,
            on_start=pids.append,
        )
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)
