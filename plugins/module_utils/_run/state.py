# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the `run_state` action does: lock a mode, make its state directory, remove it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run import state_dir as directory
from ansible_collections.gpuaas.parity.plugins.module_utils._run.lock import RunLock, lock_path

# Where the playbooks keep the state directories of modes and instances.
_ROOT = ".parity"


@dataclass(frozen=True)
class StateResult:
    """What was there before, what is there now. The lock is bookkeeping and never a change."""

    before: bool
    after: bool
    lock: Path

    @property
    def changed(self) -> bool:
        return self.before != self.after


def hold(state_dir: Path, *, pid: int, verb: str, create: bool, check_mode: bool, required: bool = False) -> StateResult:
    """Take the lock for process ``pid``; with ``create``, make the state directory as well.

    Raises ``STATE_DIR_UNSAFE``, ``RUN_IN_PROGRESS`` and, where the directory is ``required``,
    ``STATE_ABSENT``, each before anything is written.
    """
    lock = RunLock(state_dir)
    before = directory.check_state_dir(state_dir)
    if required and not before:
        raise ParityError("STATE_ABSENT", f"there is no {state_dir}")
    lock.acquire(pid, verb, check_mode=check_mode)
    if create:
        directory.make_state_dir(state_dir, check_mode=check_mode)
    return StateResult(before, before or create, lock.path)


def look(state_dir: Path) -> StateResult:
    """What is there; nothing is changed. Raises ``STATE_DIR_UNSAFE``."""
    there = directory.check_state_dir(state_dir)
    return StateResult(there, there, lock_path(state_dir))


def let_go(state_dir: Path, *, pid: int, check_mode: bool) -> StateResult:
    """Give the lock back; the state directory stays."""
    lock = RunLock(state_dir)
    before = directory.check_state_dir(state_dir)
    lock.release(pid, check_mode=check_mode)
    return StateResult(before, before, lock.path)


def remove(state_dir: Path, *, pid: int, verb: str, check_mode: bool) -> StateResult:
    """Remove the state directory, then the lock, then the folders of state directories that hold nothing more.

    Raises ``STATE_DIR_UNSAFE``, ``RUN_IN_PROGRESS`` and ``STATE_DIR_RESIDUE``.
    """
    lock = RunLock(state_dir)
    before = directory.check_state_dir(state_dir)
    if not before and not lock.path.exists():
        return StateResult(False, False, lock.path)
    lock.acquire(pid, verb, check_mode=check_mode)
    directory.remove_state_dir(state_dir, check_mode=check_mode)
    if not check_mode:
        lock.release(pid)
        _remove_empty_parents(state_dir)
        if state_dir.exists() or lock.path.exists():
            raise ParityError("STATE_DIR_RESIDUE", f"{state_dir} or {lock.path} came back while it was removed")
    return StateResult(before, False, lock.path)


def _remove_empty_parents(state_dir: Path) -> None:
    """From the parent up to .parity, where the directory is below one; else the parent alone."""
    names = [parent.name for parent in state_dir.parents]
    last = names.index(_ROOT) if _ROOT in names else 0
    for parent in list(state_dir.parents)[: last + 1]:
        if not directory.remove_if_empty(parent):
            return
