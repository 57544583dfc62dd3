# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reason of a failure that the operating system reports about a file."""

from __future__ import annotations

import errno

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

# errno(3): no space on the device, or none left of the user's quota.
_FULL = (errno.ENOSPC, errno.EDQUOT)
# Something of another kind is in a file's or directory's place.
_OBSTRUCTED = (errno.EISDIR, errno.ENOTDIR, errno.ELOOP, errno.EEXIST, errno.ENOTEMPTY)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


def explained(error: OSError, path: object = None) -> ParityError | None:
    """``error`` as DISK_FULL, PATH_OBSTRUCTED or STATE_UNWRITABLE; None when it is about no file that can be named.

    ``path`` is the file where ``error`` does not say one itself.
    """
    where = error.filename or path
    if error.errno in _FULL:
        return ParityError("DISK_FULL", f"{where}: {error.strerror}" if where else str(error.strerror))
    if not where:
        return None
    if error.errno in _OBSTRUCTED:
        return ParityError("PATH_OBSTRUCTED", f"{error.filename2 or where}: {error.strerror}")
    return ParityError("STATE_UNWRITABLE", f"{where}: {error.strerror}") if error.errno in _FORBIDDEN else None
