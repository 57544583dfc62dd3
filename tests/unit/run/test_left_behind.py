# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that is killed leaves its worker at work, and until that has ended no other run begins."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run import state
from ansible_collections.gpuaas.parity.plugins.module_utils._run.lock import RunLock

# A run that holds the lock, and a worker of it that works until somebody ends it.
RUN = """
import os, signal, sys
from pathlib import Path
from ansible_collections.gpuaas.parity.plugins.module_utils._run import state
from ansible_collections.gpuaas.parity.plugins.module_utils._run.lock import RunLock

directory, run = Path(sys.argv[1]), os.getpid()
state.hold(directory, pid=run, verb="up", create=True, check_mode=False)
if os.fork() == 0:
    with RunLock(directory).working(run):
        print(os.getpid(), flush=True)
        signal.pause()
os.wait()
"""


class Run:
    """The process ``run`` and its worker, whose id is ``worker``."""

    def __init__(self, directory: Path) -> None:
        self.run = subprocess.Popen([sys.executable, "-c", RUN, str(directory)], stdout=subprocess.PIPE, text=True)
        assert self.run.stdout is not None
        self.worker = int(self.run.stdout.readline())

    def kill(self) -> None:
        self.run.kill()
        self.run.wait()

    def end_worker(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.worker, signal.SIGKILL)
        # The pipe ends with the last process that has it.
        assert self.run.stdout is not None
        self.run.stdout.read()
        self.run.stdout.close()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / ".parity" / "kind"


@pytest.fixture
def run(directory: Path) -> Iterator[Run]:
    run = Run(directory)
    yield run
    run.kill()
    if not run.run.stdout or not run.run.stdout.closed:
        run.end_worker()


def begin(directory: Path, *, check_mode: bool = False) -> None:
    state.hold(directory, pid=os.getpid(), verb="up", create=True, check_mode=check_mode)


def down(directory: Path) -> None:
    state.remove(directory, pid=os.getpid(), verb="down", check_mode=False)


def test_the_lock_holds_while_a_worker_of_a_killed_run_works(run: Run, directory: Path) -> None:
    run.kill()
    for act in (begin, down, lambda path: begin(path, check_mode=True), lambda path: RunLock(path).refuse_while_held()):
        with pytest.raises(ParityError) as caught:
            act(directory)
        assert caught.value.reason == "RUN_IN_PROGRESS"
        assert f"process {run.worker} of a run that was killed" in caught.value.seen
        assert f"kill {run.worker}" in caught.value.do
    assert directory.is_dir()
    run.end_worker()
    begin(directory)


def test_the_lock_of_a_run_that_lives_names_the_run(run: Run, directory: Path) -> None:
    with pytest.raises(ParityError) as caught:
        begin(directory)
    assert f"process {run.run.pid} (up)" in caught.value.seen


def test_who_only_looks_keeps_nobody_from_beginning(directory: Path) -> None:
    begin(directory)
    RunLock(directory).release(os.getpid())
    with RunLock(directory).working(os.getppid()):
        begin(directory)


def test_a_step_whose_run_has_ended_does_not_begin(directory: Path) -> None:
    begin(directory)
    ended = subprocess.Popen(["true"])
    ended.wait()
    with pytest.raises(ParityError) as caught, RunLock(directory).working(ended.pid):
        raise AssertionError("it began")
    assert caught.value.reason == "RUN_INTERRUPTED"
