# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory that holds everything a run owns: made private, and removed without a trace."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import ensure_dir, is_unfinished, sweep, write_text

# What tells a state directory from a directory that a wrong setting names.
MARKER = ".gpuaas-parity-state"
_MARKER_TEXT = "Made by gpuaas.parity: what the runs of one mode own. Its `down` removes this directory and everything in it.\n"


def check_state_dir(path: Path) -> bool:
    """Whether ``path`` exists as a state directory of ours; False when there is nothing.

    Raises ``STATE_DIR_UNSAFE`` when something else is there: a symbolic link,
    a file, another user's directory, or a directory that is neither empty nor marked.
    One that was killed before it was marked, and holds no more than a part of its marker, is ours.
    """
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return False
    if stat.S_ISLNK(found.st_mode):
        raise ParityError("STATE_DIR_UNSAFE", f"{path} is a symbolic link to {path.readlink()}")
    if not stat.S_ISDIR(found.st_mode):
        raise ParityError("STATE_DIR_UNSAFE", f"{path} is not a directory")
    if found.st_uid != os.geteuid():
        raise ParityError("STATE_DIR_UNSAFE", f"{path} belongs to user id {found.st_uid}, this run is user id {os.geteuid()}")
    if not (path / MARKER).is_file() and not all(is_unfinished(entry.name, MARKER) for entry in path.iterdir()):
        raise ParityError("STATE_DIR_UNSAFE", f"{path} holds files and no {MARKER}: it was not made by gpuaas.parity")
    return True


def make_state_dir(path: Path, *, check_mode: bool = False) -> bool:
    """Make ``path`` a state directory, 0700 with its marker; return whether anything had to change.

    The parent is made 0700 when it is missing and left alone when it exists. Raises what `writing` does.
    """
    exists = check_state_dir(path)
    private = exists and stat.S_IMODE(os.lstat(path).st_mode) == 0o700
    marked = exists and (path / MARKER).is_file()
    if private and marked:
        return False
    if check_mode:
        return True
    ensure_dir(path)
    sweep(path)
    write_text(path / MARKER, _MARKER_TEXT)
    return True


def remove_state_dir(path: Path, *, check_mode: bool = False) -> bool:
    """Remove ``path`` and all it holds; return whether there was anything.

    Raises ``STATE_DIR_RESIDUE`` naming what could not be removed. The marker
    goes last, so that an interrupted removal can be taken up again.
    """
    if not check_state_dir(path):
        return False
    if check_mode:
        return True
    left: list[str] = []

    def note(_function: object, name: str, _error: BaseException) -> None:
        left.append(name)

    for entry in [found for found in path.iterdir() if found.name != MARKER]:
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, onexc=note)
        else:
            try:
                entry.unlink()
            except OSError:
                left.append(str(entry))
    if not left:
        shutil.rmtree(path, onexc=note)
    if left or os.path.lexists(path):
        named = left or [str(path)]
        raise ParityError("STATE_DIR_RESIDUE", f"could not remove {', '.join(named[:5])}", details={"left": named})
    return True


def remove_if_empty(path: Path) -> bool:
    """Remove a directory that nothing is left in."""
    try:
        path.rmdir()
    except OSError:
        return False
    return True
