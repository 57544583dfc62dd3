# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The run's own files: what was rendered, the image lock, reports and logs. Never a secret or a key."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.gather import Gathering

# What is taken, and nothing else: a new kind of file must be thought about before it leaves the machine.
_FOLDERS = ("rendered", "images", "reports", "logs")
_TOP = ("cluster.json", "kind-config.yaml", "machine.yml", "events.jsonl")
_CERTIFICATES = "tls/**/*.crt"
# Of a longer file its end is taken: that is where a log says why it stopped.
FILE_BYTES = 4 * 1024 * 1024


def collect_files(gathering: Gathering, state_dir: Path) -> None:
    """Begin the collection of the files of ``state_dir``, under ``files/`` of the bundle."""
    gathering.start("files of the state directory", lambda: _collect(gathering, state_dir))


def _collect(gathering: Gathering, state_dir: Path) -> None:
    found = False
    left_out: dict[tuple[str, str], int] = {}
    for path in _candidates(state_dir):
        found = True
        name = f"files/{path.relative_to(state_dir)}"
        try:
            gathering.add(name, read_text(path))
        except OSError as error:
            gathering.miss(name, error.strerror or type(error).__name__)
        except ValueError as error:
            place = (f"files/{path.parent.relative_to(state_dir)}", str(error))
            left_out[place] = left_out.get(place, 0) + 1
    # One note for a folder of screenshots, not one for each.
    for (folder, why), count in left_out.items():
        gathering.miss(folder, f"{count} files left out: {why}")
    if not found:
        gathering.miss("files of the state directory", f"{state_dir} holds nothing yet")


def _candidates(state_dir: Path) -> Iterator[Path]:
    yield from (state_dir / name for name in _TOP if (state_dir / name).exists())
    for folder in _FOLDERS:
        for where, _folders, names in (state_dir / folder).walk():
            yield from (where / name for name in sorted(names))
    yield from sorted(state_dir.glob(_CERTIFICATES))


def read_text(path: Path, limit: int = FILE_BYTES) -> str:
    """The text of a regular file, of a long one its last whole lines.

    Raises ``OSError`` and, for what is not a regular text file, ``ValueError``:
    a link could lead anywhere, and what is not text cannot be redacted.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        info = os.fstat(handle)
        if not stat.S_ISREG(info.st_mode):
            raise ValueError("not regular files")
        cut = info.st_size - limit
        if cut > 0:
            file.seek(cut)
        data = file.read(limit)
    if b"\0" in data:
        raise ValueError("not text, which cannot be redacted")
    text = data.decode(errors="replace")
    if cut > 0:
        # Half a line could be half a secret, which nobody recognises.
        text = f"(the first {cut} bytes are left out)\n{text.partition(chr(10))[2]}"
    return text
