# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which fields a server has accepted before, so that it need not be asked about them again.

kubectl lets the server refuse unknown fields (KEP-2885), but reads the server's whole
OpenAPI description first to learn whether it can: half of the time that an apply takes.
Fields are names. So objects that differ from accepted ones in nothing but values are
applied without the question; that values are valid the server checks at every apply.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Accepted:
    """What servers of one Kubernetes ``version`` accepted: an empty file in ``folder`` for each shape."""

    folder: Path
    version: str

    def knows(self, objects: Sequence[dict[str, Any]]) -> bool:
        """Whether objects of the same fields were accepted."""
        return self._file(objects).exists()

    def remember(self, objects: Sequence[dict[str, Any]]) -> None:
        """Objects of these fields were accepted."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file(objects).touch(mode=0o600)

    def _file(self, objects: Sequence[dict[str, Any]]) -> Path:
        named = [[obj.get("apiVersion"), obj.get("kind"), _fields(obj)] for obj in objects]
        return self.folder / hashlib.sha256(json.dumps([self.version, named], sort_keys=True).encode()).hexdigest()


def _fields(value: object) -> object:
    """A value without its values: the names in it, and of each leaf its type."""
    if isinstance(value, dict):
        return {name: _fields(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_fields(item) for item in value]
    return type(value).__name__
