# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mark a state directory while a step writes to it, so that what a killed run leaves at work is seen.

A run that is killed takes its worker with it only when it is asked to end; after SIGKILL the worker goes on to
the end of its step. Its mark is flock(2) on the directory: shared, dropped by the kernel with the process, and
no file that could be left behind.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._run.process import PROC


@contextlib.contextmanager
def marked(directory: Path) -> Iterator[None]:
    """Mark ``directory`` while the block runs; a directory that is not there is not marked."""
    handle = _open(directory)
    try:
        if handle is not None:
            fcntl.flock(handle, fcntl.LOCK_SH)
        yield
    finally:
        if handle is not None:
            os.close(handle)


def is_marked(directory: Path) -> bool:
    """Whether some process has marked ``directory``."""
    handle = _open(directory)
    if handle is None:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def markers(directory: Path, proc: Path = PROC) -> list[int]:
    """The ids of the processes that have marked ``directory``, as far as proc_locks(5) tells."""
    wanted = directory.stat()
    try:
        rows = [line.split() for line in (proc / "locks").read_text(encoding="ascii").splitlines()]
    except OSError:
        return []
    # An inode alone may be another file's, on another file system.
    pids = {int(row[4]) for row in rows if row[1] == "FLOCK" and row[5].endswith(f":{wanted.st_ino}") and int(row[4]) > 0}
    return sorted(pid for pid in pids if _has_open(pid, wanted, proc))


def _open(directory: Path) -> int | None:
    try:
        return os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _has_open(pid: int, wanted: os.stat_result, proc: Path) -> bool:
    for handle in (proc / str(pid) / "fd").glob("*"):
        with contextlib.suppress(OSError):
            if os.path.samestat(handle.stat(), wanted):
                return True
    return False
