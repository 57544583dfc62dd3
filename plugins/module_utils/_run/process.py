# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Name a process so that the name cannot come to mean another one.

Process ids are used again. An id together with the start time of the process
(field 22 of /proc/<pid>/stat, proc_pid_stat(5)) and the boot it belongs to is
never used twice.
"""

from __future__ import annotations

import multiprocessing
import os
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class ProcessName:
    """A process of this machine, for good: ``start`` is in clock ticks since boot ``boot``."""

    pid: int
    start: int
    boot: str


def process_name(pid: int, proc: Path = PROC) -> ProcessName | None:
    """The name of the process that has ``pid`` now; None when there is none."""
    try:
        stat = (proc / str(pid) / "stat").read_text(errors="replace")
        boot = (proc / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None
    # The command, in parentheses, may hold spaces and parentheses itself.
    after_command = stat.rpartition(")")[2].split()
    if not after_command or after_command[0] in ("Z", "X"):
        return None
    return ProcessName(pid, int(after_command[19]), boot)


def run_pid() -> int:
    """The process of the run that this worker belongs to, also when that has ended and init is the parent."""
    parent = multiprocessing.parent_process()
    return parent.pid if parent is not None and parent.pid is not None else os.getppid()


def is_alive(name: ProcessName, proc: Path = PROC) -> bool:
    """Whether that very process still runs."""
    return process_name(name.pid, proc) == name


def command_line(pid: int, proc: Path = PROC) -> str:
    """What the process was started as; empty when that cannot be read."""
    try:
        raw = (proc / str(pid) / "cmdline").read_bytes()
        return raw.replace(b"\0", b" ").decode(errors="replace").strip() or (proc / str(pid) / "comm").read_text().strip()
    except OSError:
        return ""
