# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The events of the runs of a mode, one JSON object on each line, in the directory that they own."""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.emitter import Record
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.json_line import json_line

NAME = "events.jsonl"
_FULL = 8 * 1024 * 1024  # bytes from which on a new run begins a new file; one older file is kept
_KEPT = 5000  # events of this run that wait for the directory


class Journal:
    """Reads every event of a run. Before `begin` it only remembers: it never makes a directory.

    Where the directory is removed and made again while the run goes on, the new file has all of the run.
    """

    def __init__(self) -> None:
        self._records: deque[Record] = deque(maxlen=_KEPT)
        self._handle = -1

    def __call__(self, record: Record) -> None:
        """Append an event. Lines of components' logs are for who asked to see them, not for a file. Raises OSError."""
        if record["event"] == "log":
            return
        self._records.append(record)
        if self._handle >= 0:
            self._write([record])

    def begin(self, directory: Path) -> None:
        """Write to ``directory``/events.jsonl (0600) from now on, beginning with what happened so far. Raises OSError."""
        path = directory / NAME
        if self._is_open_at(path):
            return
        self.close()
        if path.exists() and path.stat().st_size >= _FULL:
            path.replace(path.with_name(f"{NAME}.1"))
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        os.fchmod(self._handle, 0o600)
        self._write(self._records)

    def close(self) -> None:
        """Write no more."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _write(self, records: deque[Record] | list[Record]) -> None:
        # In one piece, so that the lines of two runs do not mix.
        os.write(self._handle, "".join(f"{json_line(record)}\n" for record in records).encode())

    def _is_open_at(self, path: Path) -> bool:
        try:
            return self._handle >= 0 and os.path.samestat(os.fstat(self._handle), path.lstat())
        except FileNotFoundError:
            return False
