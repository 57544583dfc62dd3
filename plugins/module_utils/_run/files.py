# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write private files so that a reader, or an interrupt, never meets half of one."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any


def own_path(path: str | Path) -> Path:
    """``path`` made absolute and unique, except for its last part: a symbolic link there must be seen, not followed."""
    given = Path(path)
    return given.parent.resolve() / given.name


def write_private(path: Path, text: str) -> None:
    """Replace ``path`` in one step with ``text``, mode 0600, on disk before it is visible."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise


def write_json(path: Path, value: Any) -> None:
    """`write_private` of ``value`` as sorted, indented JSON."""
    write_private(path, json.dumps(value, indent=2, sort_keys=True) + "\n")
