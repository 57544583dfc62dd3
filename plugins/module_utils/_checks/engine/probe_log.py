# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every check saw on its way, in a file of its own: more than a person wants to read while waiting."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.engine import State


class ProbeLog:
    """Writes a check's observation when it is another than its last one, with the traceback of one that was raised."""

    def __init__(self, file: TextIO, now: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC)) -> None:
        self._file, self._now = file, now
        self._written: dict[str, str] = {}

    def __call__(self, states: Sequence[State]) -> None:
        """Write what is new; cheap enough for every turn of the engine's loop."""
        stamp = ""
        for state in states:
            word = "ok" if state.last.ok else state.last.reason
            entry = f"{state.check.id}: {word}: {state.last.seen}"
            if not state.attempts or self._written.get(state.check.id) == entry:
                continue
            self._written[state.check.id] = entry
            stamp = stamp or self._now().isoformat(timespec="milliseconds")
            trace = str(state.last.details.get("traceback", ""))
            self._file.write(f"{stamp} {entry}\n{trace}")
        if stamp:
            self._file.flush()


def open_log(state_dir: Path) -> TextIO:
    """The log of all probes of a run, for appending: 0600, in a 0700 directory."""
    folder = state_dir / "logs"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(folder / "probe.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    return os.fdopen(handle, "a", encoding="utf-8")
