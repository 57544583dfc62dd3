# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of a mode at a time.

The holder is the ansible-playbook process, which outlives the worker that takes
the lock: so the lock is a file naming that process, not an open descriptor. A
lock whose process is gone counts for nothing; so a killed run blocks nobody.
flock(2) guards the moments in which the file is read and written.
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


class RunLock:
    """The lock file ``path``; ``proc`` and ``clock`` are what a test replaces."""

    def __init__(self, path: Path, *, proc: Path = PROC, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._proc = proc
        self._clock = clock

    def acquire(self, pid: int, verb: str, *, check_mode: bool = False) -> bool:
        """Take the lock for process ``pid``; return False when that process has it already.

        Raises ``RUN_IN_PROGRESS`` naming the process that holds it.
        """
        me = process_name(pid, self._proc)
        if me is None:
            raise ParityError("INTERNAL", f"the process {pid} that is to hold the lock does not exist")
        holder = self.holder()
        if check_mode:
            self._refuse_other(holder, me)
            return holder is None
        with self._open() as handle:
            holder = self._alive(_parse(os.pread(handle, 4096, 0)))
            self._refuse_other(holder, me)
            if holder is not None:
                return False
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
        with self._open() as handle:
            self._refuse_other(self._alive(_parse(os.pread(handle, 4096, 0))), me)
            self.path.unlink()
        return True

    def refuse_while_held(self) -> None:
        """Raise ``RUN_IN_PROGRESS`` when a living process holds the lock. Reads only."""
        self._refuse_other(self.holder(), None)

    def holder(self) -> Holder | None:
        """The living holder, if any. Reads only."""
        try:
            return self._alive(_parse(self.path.read_bytes()[:4096]))
        except FileNotFoundError:
            return None

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
