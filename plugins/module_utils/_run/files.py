# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of a run: private, and either the old bytes or the new ones, never half of each."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.os_error import explained

PRIVATE_FILE = 0o600
PRIVATE_DIR = 0o700
_UNFINISHED = ".tmp"


def own_path(path: str | Path) -> Path:
    """``path`` made absolute and unique, except for its last part: a symbolic link there must be seen, not followed."""
    given = Path(path)
    return given.parent.resolve() / given.name


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an operating system failure into DISK_FULL, PATH_OBSTRUCTED or STATE_UNWRITABLE, which names ``path``."""
    try:
        yield
    except OSError as error:
        where = error.filename or path
        raise explained(error, path) or ParityError("STATE_UNWRITABLE", f"{where}: {error.strerror or error}") from None


def mode_of(path: Path) -> int:
    """Permission bits of ``path`` itself, not of what a link leads to."""
    return stat.S_IMODE(path.lstat().st_mode)


def ensure_dir(path: Path, *, dry: bool = False) -> bool:
    """Make ``path`` a directory that only its owner may enter; say whether that was a change.

    Missing parents are made too. Raises what `writing` does.
    """
    if path.is_dir() and stat.S_IMODE(path.stat().st_mode) == PRIVATE_DIR:
        return False
    if not dry:
        with writing(path):
            path.parent.mkdir(mode=PRIVATE_DIR, parents=True, exist_ok=True)
            path.mkdir(mode=PRIVATE_DIR, exist_ok=True)
            path.chmod(PRIVATE_DIR)
    return True


def write_atomic(path: Path, data: bytes, mode: int = PRIVATE_FILE) -> None:
    """Write ``data`` to ``path`` so that a crash leaves the old file or the new one.

    The temporary sibling is created with its final mode, so that the bytes are
    never readable by others, and is synced before the rename. Raises what
    `writing` does.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}{_UNFINISHED}")
    with writing(path):
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE)
            with os.fdopen(descriptor, "wb") as stream:
                os.fchmod(stream.fileno(), mode)
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        _sync_dir(path.parent)


def write_if_changed(path: Path, data: bytes, mode: int = PRIVATE_FILE, *, dry: bool = False) -> bool:
    """Write ``data`` unless ``path`` already is a regular file of those bytes and that mode."""
    try:
        same = stat.S_ISREG(path.lstat().st_mode) and mode_of(path) == mode and path.read_bytes() == data
    except OSError:
        same = False
    if same:
        return False
    if not dry:
        write_atomic(path, data, mode)
    return True


def write_text(path: Path, text: str) -> None:
    """`write_atomic` of ``text`` as UTF-8, mode 0600."""
    write_atomic(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """`write_atomic` of ``value`` as sorted, indented JSON, mode 0600."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True) + "\n")


def is_unfinished(name: str, of: str) -> bool:
    """Whether ``name`` is what ``write_atomic`` writes before it becomes the file ``of``."""
    return name.startswith(f".{of}.") and name.endswith(_UNFINISHED)


def sweep(directory: Path) -> None:
    """Remove what ``write_atomic`` left in ``directory`` when its process was killed."""
    with writing(directory):
        for path in directory.glob(f".*{_UNFINISHED}"):
            path.unlink(missing_ok=True)


def _sync_dir(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
