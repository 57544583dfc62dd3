# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where facts about the machine are read from; a test puts a directory and functions in their place."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Runner, run


def _free_bytes(path: Path) -> int:
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize


@dataclass(frozen=True)
class System:
    """The readers of one machine. ``root`` holds its /proc and /etc."""

    root: Path = Path("/")
    runner: Runner = run
    which: Callable[[str], str | None] = shutil.which
    free_bytes: Callable[[Path], int] = _free_bytes
    now: Callable[[], float] = time.time
    uname: Callable[[], os.uname_result] = os.uname
    effective_uid: Callable[[], int] = field(default=os.geteuid)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def text(self, path: str) -> str:
        """The file ``path`` (absolute) of the machine; empty when it cannot be read."""
        try:
            return (self.root / path.lstrip("/")).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def number(self, path: str) -> int | None:
        """The first number in a file under /proc; None when there is none."""
        words = self.text(path).split()
        return int(words[0]) if words and words[0].isdigit() else None
