# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state directory and the lock beside it."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run import files, state
from ansible_collections.gpuaas.parity.plugins.module_utils._run.lock import RunLock, lock_path
from ansible_collections.gpuaas.parity.plugins.module_utils._run.process import is_alive, process_name
from ansible_collections.gpuaas.parity.plugins.module_utils._run.state_dir import MARKER

ME = os.getpid()


@pytest.fixture
def other() -> Iterator[subprocess.Popen[bytes]]:
    """A living process that is not this one."""
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / ".parity" / "kind"


def hold(directory: Path, pid: int = ME, *, create: bool = True, required: bool = False, check_mode: bool = False) -> state.StateResult:
    return state.hold(directory, pid=pid, verb="up", create=create, required=required, check_mode=check_mode)


def remove(directory: Path, *, check_mode: bool = False) -> state.StateResult:
    return state.remove(directory, pid=ME, verb="down", check_mode=check_mode)


def test_the_directory_is_made_private_once(directory: Path) -> None:
    assert hold(directory).changed
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE(directory.parent.stat().st_mode) == 0o700
    again = hold(directory)
    assert not again.changed
    assert stat.S_IMODE(again.lock.stat().st_mode) == 0o600


def test_a_directory_that_became_readable_is_made_private_again(directory: Path) -> None:
    hold(directory)
    directory.chmod(0o755)
    hold(directory)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_check_mode_writes_nothing(directory: Path) -> None:
    assert hold(directory, check_mode=True).changed
    assert not directory.parent.exists()


def test_a_run_that_only_removes_makes_no_directory(directory: Path) -> None:
    assert not hold(directory, create=False).changed
    assert not directory.exists()


def test_a_run_that_looks_at_what_stands_is_refused_where_nothing_does(directory: Path) -> None:
    with pytest.raises(ParityError) as caught:
        hold(directory, create=False, required=True)
    assert caught.value.reason == "STATE_ABSENT" and str(directory) in caught.value.seen
    assert not directory.parent.exists()
    hold(directory)
    assert not hold(directory, create=False, required=True).changed


def test_removal_leaves_nothing_and_can_be_repeated(directory: Path) -> None:
    hold(directory)
    (directory / "secrets").mkdir()
    (directory / "secrets" / "x").write_text("x")
    assert remove(directory, check_mode=True).changed
    assert directory.exists()
    assert remove(directory).changed
    assert not directory.parent.exists()
    assert not remove(directory).changed


def test_removal_spares_another_mode(directory: Path) -> None:
    hold(directory)
    (directory.parent / "compose").mkdir()
    remove(directory)
    assert [entry.name for entry in directory.parent.iterdir()] == ["compose"]


def test_an_interrupted_removal_is_taken_up_again(directory: Path) -> None:
    hold(directory)
    assert [entry.name for entry in directory.iterdir()] == [MARKER]
    (directory / MARKER).unlink()
    assert remove(directory).changed


def test_what_cannot_be_removed_is_named(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hold(directory)
    (directory / "stuck").write_text("x")

    def refuse(path: Path) -> None:
        raise PermissionError(path)

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(ParityError) as caught:
        remove(directory)
    assert caught.value.reason == "STATE_DIR_RESIDUE"
    assert caught.value.details["left"] == [str(directory / "stuck")]


def test_a_symbolic_link_is_refused(directory: Path, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.mkdir()
    directory.parent.mkdir()
    directory.symlink_to(target)
    for act in (hold, remove):
        with pytest.raises(ParityError) as caught:
            act(directory)
        assert caught.value.reason == "STATE_DIR_UNSAFE" and str(target) in caught.value.seen


def test_a_directory_with_other_files_is_refused(directory: Path) -> None:
    directory.mkdir(parents=True)
    (directory / "thesis.tex").write_text("x")
    with pytest.raises(ParityError) as caught:
        remove(directory)
    assert caught.value.reason == "STATE_DIR_UNSAFE"
    assert (directory / "thesis.tex").exists()


def test_a_file_in_its_place_is_refused(directory: Path) -> None:
    directory.parent.mkdir()
    directory.write_text("x")
    with pytest.raises(ParityError) as caught:
        hold(directory)
    assert caught.value.reason == "STATE_DIR_UNSAFE"


def test_a_directory_of_another_user_is_refused(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hold(directory)
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    with pytest.raises(ParityError) as caught:
        hold(directory)
    assert caught.value.reason == "STATE_DIR_UNSAFE" and "54321" in caught.value.seen


def test_a_second_run_is_told_who_holds_the_lock(directory: Path, other: subprocess.Popen[bytes]) -> None:
    hold(directory, other.pid)
    for act in (hold, remove):
        with pytest.raises(ParityError) as caught:
            act(directory)
        assert caught.value.reason == "RUN_IN_PROGRESS"
        assert str(other.pid) in caught.value.seen and "up" in caught.value.seen
        assert f"kill {other.pid}" in caught.value.do
    assert directory.exists()


def test_a_lock_in_check_mode_is_respected_too(directory: Path, other: subprocess.Popen[bytes]) -> None:
    hold(directory, other.pid)
    with pytest.raises(ParityError):
        hold(directory, check_mode=True)


def test_the_lock_of_a_dead_run_counts_for_nothing(directory: Path, other: subprocess.Popen[bytes]) -> None:
    hold(directory, other.pid)
    other.kill()
    other.wait()
    assert not hold(directory).changed
    holder = RunLock(directory).holder()
    assert holder is not None and holder.process.pid == ME


def test_a_reused_pid_is_not_the_holder(directory: Path, other: subprocess.Popen[bytes]) -> None:
    hold(directory, other.pid)
    lock = lock_path(directory)
    record = json.loads(lock.read_text())
    record["process"]["start"] -= 1
    lock.write_text(json.dumps(record))
    hold(directory)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"process": {}}'])
def test_a_lock_cut_short_counts_for_nothing(directory: Path, text: str) -> None:
    directory.parent.mkdir()
    lock_path(directory).write_text(text)
    assert hold(directory).changed


def test_unlocking_keeps_the_directory(directory: Path) -> None:
    hold(directory)
    state.let_go(directory, pid=ME, check_mode=True)
    assert lock_path(directory).exists()
    state.let_go(directory, pid=ME, check_mode=False)
    assert directory.exists() and not lock_path(directory).exists()
    assert not state.let_go(directory, pid=ME, check_mode=False).changed


def test_another_run_is_not_unlocked(directory: Path, other: subprocess.Popen[bytes]) -> None:
    hold(directory, other.pid)
    with pytest.raises(ParityError) as caught:
        state.let_go(directory, pid=ME, check_mode=False)
    assert caught.value.reason == "RUN_IN_PROGRESS"


def test_a_zombie_is_not_alive() -> None:
    process = subprocess.Popen(["true"])
    name = process_name(process.pid)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert process_name(process.pid) is None
    assert name is None or not is_alive(name)
    process.wait()


def test_a_private_file_is_replaced_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x"
    files.write_text(path, "old")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def crash(_source: object, _target: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", crash)
    with pytest.raises(KeyboardInterrupt):
        files.write_text(path, "new")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["x"]


def test_a_path_is_unique_but_a_link_at_its_end_is_kept(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "way").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "end").symlink_to(tmp_path)
    assert files.own_path(tmp_path / "real" / ".." / "way" / "end") == tmp_path / "real" / "end"


def test_a_directory_that_was_killed_before_it_was_marked_is_removed_and_used(directory: Path) -> None:
    def killed(*_: object) -> None:
        # As SIGKILL does: nothing is tidied up.
        os._exit(9)

    child = os.fork()
    if child == 0:
        Path.replace = killed  # type: ignore[assignment, method-assign]
        state.hold(directory, pid=os.getpid(), verb="up", create=True, check_mode=False)
    os.waitpid(child, 0)
    (left,) = directory.iterdir()
    assert left.name.startswith(f".{MARKER}.")
    assert hold(directory).changed is False
    assert [entry.name for entry in directory.iterdir()] == [MARKER]
    (directory / MARKER).rename(left)
    assert remove(directory).changed
    assert not directory.parent.exists()


@pytest.mark.parametrize("name", ["thesis.tmp", f".{MARKER}.tex", f"{MARKER}.1234.tmp"])
def test_what_only_looks_like_a_part_of_the_marker_is_not(directory: Path, name: str) -> None:
    directory.mkdir(parents=True)
    (directory / name).write_text("x")
    with pytest.raises(ParityError) as caught:
        remove(directory)
    assert caught.value.reason == "STATE_DIR_UNSAFE" and (directory / name).exists()


@pytest.mark.parametrize("act", [hold, remove])
@pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.symlink_to(path.with_name("elsewhere"))], ids=["directory", "link"])
def test_what_is_in_the_place_of_the_lock_is_named(directory: Path, act: Callable[[Path], object], make: Callable[[Path], None]) -> None:
    directory.mkdir(parents=True)
    make(lock_path(directory))
    with pytest.raises(ParityError) as caught:
        act(directory)
    assert caught.value.reason == "PATH_OBSTRUCTED" and str(lock_path(directory)) in caught.value.seen


def test_a_full_disk_is_told_by_the_lock(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(ParityError) as caught:
        hold(directory)
    assert caught.value.reason == "DISK_FULL" and str(lock_path(directory)) in caught.value.seen
