# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing of the platform listens on an address that another machine can reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.cluster.node_ports import NodePorts
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import HERE, Context, Observation
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.project.published_ports import PublishedPorts


@dataclass(frozen=True)
class LoopbackOnly:
    """Every port that the node, or a container of the project, publishes is on 127.0.0.1 or ::1."""

    targets: ClassVar[frozenset[str]] = HERE

    def run(self, context: Context) -> Observation:
        return PublishedPorts().run(context) if context.target == "compose" else NodePorts().run(context)
