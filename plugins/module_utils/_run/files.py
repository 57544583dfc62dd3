# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: Apache-2.0
"""Write private files so that a reader, or an interrupt, never meets half of one."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any


def write_private(path: Path, text: str) -> None:
    """Replace ``path`` in one step with ``text``, mode 0600, on disk before it is visible."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def write_json(path: Path, value: Any) -> None:
    """`write_private` of ``value`` as sorted, indented JSON."""
    write_private(path, json.dumps(value, indent=2, sort_keys=True) + "\n")
