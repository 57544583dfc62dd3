# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of a mode at a time.

The holder is the ansible-playbook process, which outlives the worker that takes
the lock: so the lock is a file naming that process, not an open descriptor. A
lock whose process is gone counts for nothing; so a killed run blocks nobody,
except while a step that it left behind still works: steps mark the state
directory. flock(2) guards the moments in which the file is read and written.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.at_work import is_marked, marked, markers
from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import writing
from ansible_collections.gpuaas.parity.plugins.module_utils._run.process import (
    PROC,
    ProcessName,
    is_alive,
    process_name,
)

_TIME_FORMAT = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True)
class Holder:
    """Who holds the lock: the process, what it is doing and since when (seconds since the epoch)."""

    process: ProcessName
    verb: str
    since: float


def lock_path(state_dir: Path) -> Path:
    """The lock of the mode whose state lies in ``state_dir``: beside it, since ``down`` removes the directory."""
    return state_dir.with_name(f"{state_dir.name}.lock")


class RunLock:
    """The lock of ``state_dir``; ``proc`` and ``clock`` are what a test replaces."""

    def __init__(self, state_dir: Path, *, proc: Path = PROC, clock: Callable[[], float] = time.time) -> None:
        self.path = lock_path(state_dir)
        self._state_dir = state_dir
        self._proc = proc
        self._clock = clock

    def acquire(self, pid: int, verb: str, *, check_mode: bool = False) -> bool:
        """Take the lock for process ``pid``; return False when that process has it already.

        Raises ``RUN_IN_PROGRESS`` naming the process that holds it, or that a killed run left at work.
        """
        me = process_name(pid, self._proc)
        if me is None:
            raise ParityError("RUN_INTERRUPTED", f"the process {pid} that is to hold the lock has ended")
        holder = self.holder()
        if check_mode:
            self._refuse_other(holder, me)
            if holder is None:
                self._refuse_left_behind()
            return holder is None
        with writing(self.path), self._open() as handle:
            holder = self._alive(_parse(os.pread(handle, 4096, 0)))
            self._refuse_other(holder, me)
            if holder is not None:
                return False
            self._refuse_left_behind()
            record = {"process": asdict(me), "verb": verb, "since": self._clock()}
            os.ftruncate(handle, 0)
            os.pwrite(handle, json.dumps(record).encode(), 0)
        return True

    def release(self, pid: int, *, check_mode: bool = False) -> bool:
        """Give the lock back; return False when there was none. Raises ``RUN_IN_PROGRESS`` when another holds it."""
        if not self.path.exists():
            return False
        me = process_name(pid, self._proc)
        self._refuse_other(self.holder(), me)
        if check_mode:
            return True
        with writing(self.path), self._open() as handle:
            self._refuse_other(self._alive(_parse(os.pread(handle, 4096, 0))), me)
            self.path.unlink()
        return True

    def refuse_while_held(self) -> None:
        """Raise ``RUN_IN_PROGRESS`` when a living process holds the lock, or a killed run left one at work. Reads only."""
        self._refuse_other(self.holder(), None)
        self._refuse_left_behind()

    @contextlib.contextmanager
    def working(self, pid: int) -> Iterator[None]:
        """Mark the state directory while a step of process ``pid`` works, if that holds the lock.

        Raises ``RUN_INTERRUPTED`` when the process has ended: another run may have begun by now.
        """
        holder = self.holder()
        with marked(self._state_dir) if holder is not None and holder.process.pid == pid else contextlib.nullcontext():
            # After the mark: who takes the lock looks at the process first, and at the mark then.
            if process_name(pid, self._proc) is None:
                raise ParityError("RUN_INTERRUPTED", f"the run that this step belongs to, process {pid}, has ended")
            yield

    def holder(self) -> Holder | None:
        """The living holder, if any. Reads only."""
        with writing(self.path):
            try:
                raw = self.path.read_bytes()
            except FileNotFoundError:
                return None
        return self._alive(_parse(raw[:4096]))

    def _alive(self, holder: Holder | None) -> Holder | None:
        return holder if holder and is_alive(holder.process, self._proc) else None

    def _refuse_other(self, holder: Holder | None, me: ProcessName | None) -> None:
        if holder is None or holder.process == me:
            return
        since = time.strftime(_TIME_FORMAT, time.localtime(holder.since))
        pid = holder.process.pid
        raise ParityError(
            "RUN_IN_PROGRESS",
            f"process {pid} ({holder.verb}) has been at work since {since}",
            f"wait until it ends, or end it with `kill {pid}`; then run the same command again",
            {"pid": pid, "verb": holder.verb, "since": since, "lock": str(self.path)},
        )

    def _refuse_left_behind(self) -> None:
        if not is_marked(self._state_dir):
            return
        pids = markers(self._state_dir, self._proc)
        who = " and ".join(f"process {pid}" for pid in pids) or "a process"
        end = f", or end it with `kill {' '.join(map(str, pids))}`" if pids else ""
        raise ParityError(
            "RUN_IN_PROGRESS",
            f"{who} of a run that was killed is still at work in {self._state_dir}",
            f"wait until it ends{end}; then run the same command again",
            {"pids": pids, "lock": str(self.path)},
        )

    @contextlib.contextmanager
    def _open(self) -> Iterator[int]:
        """The lock file, open and guarded; again if it was unlinked while we waited for the guard."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                if _is_still(self.path, handle):
                    yield handle
                    return
            finally:
                os.close(handle)


def _is_still(path: Path, handle: int) -> bool:
    """Whether ``path`` still leads to the file that is open as ``handle``."""
    try:
        return os.path.samestat(os.fstat(handle), path.lstat())
    except FileNotFoundError:
        return False


def _parse(raw: bytes) -> Holder | None:
    """The holder a lock file names; None when it is empty or was cut short by a crash."""
    try:
        record = json.loads(raw)
        return Holder(ProcessName(**record["process"]), str(record["verb"]), float(record["since"]))
    except (ValueError, TypeError, KeyError):
        return None
