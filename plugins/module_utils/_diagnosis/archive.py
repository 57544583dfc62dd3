# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bundle as a file: a private tar.gz, whole or not there at all."""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import write_atomic

# Older bundles go: a run in a loop must not fill the disk.
KEPT = 10
_SUFFIX = ".tar.gz"


def file_name(verb: str, now: datetime) -> str:
    """The bundle's name without its suffix: UTC time, then what failed."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{re.sub(r'[^A-Za-z0-9_-]+', '-', verb) or 'run'}"


def write_archive(folder: Path, name: str, texts: Mapping[str, str], now: datetime) -> Path:
    """Write ``texts`` as ``folder/name.tar.gz`` (0600, below one folder ``name``) and return its path.

    A name that is taken gets a number. Raises OSError, and ParityError STATE_UNWRITABLE; half a file is never left.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=6) as tar:
        for inside, text in texts.items():
            data = text.encode(errors="replace")
            entry = tarfile.TarInfo(f"{name}/{inside}")
            entry.size, entry.mode, entry.mtime = len(data), 0o600, int(now.timestamp())
            tar.addfile(entry, io.BytesIO(data))
    path = _free(folder, name)
    write_atomic(path, packed.getvalue())
    for old in sorted(folder.glob(f"*{_SUFFIX}"))[:-KEPT]:
        old.unlink(missing_ok=True)
    return path


def _free(folder: Path, name: str) -> Path:
    path, number = folder / f"{name}{_SUFFIX}", 1
    while path.exists():
        number += 1
        path = folder / f"{name}-{number}{_SUFFIX}"
    return path
