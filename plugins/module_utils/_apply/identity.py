# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an object of Kubernetes is called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, order=True)
class Identity:
    """Group, kind, namespace and name; what has no namespace has an empty one, as the core group is empty."""

    group: str
    kind: str
    namespace: str
    name: str

    @classmethod
    def of(cls, obj: dict[str, Any]) -> Self:
        """That of an object as it is written in a manifest."""
        group = str(obj.get("apiVersion", "")).rpartition("/")[0]
        meta = obj["metadata"]
        return cls(group, str(obj["kind"]), str(meta.get("namespace", "")), str(meta["name"]))

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"
