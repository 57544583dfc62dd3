# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Namespaces enforce Pod Security restricted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.cluster.image_digest import OF_THE_NODE
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import KUBERNETES, Context, Observation, failed, passed

_LABEL = "pod-security.kubernetes.io/enforce"


@dataclass(frozen=True)
class PodSecurity:
    """Every namespace that did not come with the node enforces ``level``; there is at least one."""

    targets: ClassVar[frozenset[str]] = KUBERNETES
    level: str = "restricted"

    def run(self, context: Context) -> Observation:
        levels = {
            item["metadata"]["name"]: (item["metadata"].get("labels") or {}).get(_LABEL)
            for item in context.snapshot.all("namespaces")
            if item["metadata"]["name"] not in OF_THE_NODE
        }
        if not levels:
            return failed("POD_SECURITY_MISSING", "there is no namespace but the node's own")
        weak = [f"{name} ({level or 'no label'})" for name, level in sorted(levels.items()) if level != self.level]
        if weak:
            return failed("POD_SECURITY_MISSING", f"not {self.level}: {', '.join(weak)}")
        return passed(f"{', '.join(sorted(levels))}: {self.level}")
