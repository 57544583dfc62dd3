# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Source that is mounted into containers must be readable by the users that they run as."""

from __future__ import annotations

import shlex
import stat
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError


def require_readable(contract: dict[str, Any], checkout: Path) -> None:
    """Raise LOCAL_DEV_SOURCE_UNREADABLE naming what others may not read, as a umask of 077 leaves a checkout."""
    for folder in sorted({checkout / service["source"] for service in contract["services"].values() if "source" in service}):
        if not folder.is_dir():
            raise ParityError("LOCAL_DEV_SOURCE_UNREADABLE", f"{folder} is no directory", "restore it: git checkout control_plane/src")
        for path in (folder, *folder.rglob("*")):
            mode = path.stat().st_mode
            wanted = stat.S_IROTH | stat.S_IXOTH if stat.S_ISDIR(mode) else stat.S_IROTH
            if mode & wanted != wanted and "__pycache__" not in path.parts:
                seen = f"{path} has mode {stat.S_IMODE(mode):04o}: the users of containers cannot read it"
                raise ParityError("LOCAL_DEV_SOURCE_UNREADABLE", seen, f"chmod -R o+rX {shlex.quote(str(folder))}")
