# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that nobody else may read: read with suspicion. No content ever enters a message."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import PRIVATE_FILE


@dataclass(frozen=True)
class Refusal:
    """Reason ids, and what to type, for a file that others could read and for one that cannot be read."""

    exposed: str = "SECRETS_PERMISSIONS"
    unreadable: str = "SECRETS_UNREADABLE"
    do: str = ""


def read_private(path: Path, refusal: Refusal | None = None) -> bytes | None:
    """The content of a regular file of ours with mode 0600; None when there is nothing of that name.

    Raises ParityError with the reasons of ``refusal``.
    """
    refusal = refusal or Refusal()
    try:
        # The descriptor that is checked is the one that is read.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        if path.is_symlink():
            raise ParityError(refusal.exposed, f"{path} is a symbolic link", refusal.do) from None
        raise ParityError(refusal.unreadable, f"{path}: {error.strerror}", refusal.do) from None
    try:
        if wrong := fault(os.fstat(descriptor)):
            raise ParityError(refusal.exposed, f"{path} {wrong}", refusal.do)
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            return stream.read()
    except OSError as error:
        raise ParityError(refusal.unreadable, f"{path}: {error.strerror}", refusal.do) from None
    finally:
        os.close(descriptor)


def fault(status: os.stat_result) -> str:
    """Why a file is not a regular one of ours alone; empty when it is."""
    if not stat.S_ISREG(status.st_mode):
        return "is not a regular file"
    if status.st_uid != os.geteuid():
        return f"belongs to user {status.st_uid}, this run to user {os.geteuid()}"
    if (mode := stat.S_IMODE(status.st_mode)) != PRIVATE_FILE:
        return f"has mode {mode:04o}, it must be 0600"
    return ""
