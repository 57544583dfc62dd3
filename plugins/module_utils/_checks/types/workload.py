# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A workload has all that it should run, and is ready."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.cluster.rollout import Rollout
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import HERE, Context, Observation
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.project.health import Health


@dataclass(frozen=True)
class Workload:
    """In a cluster it is rolled out at its newest generation; in a project every container of it is healthy.

    It is the component's own, or another one of ``name``: a workload of its namespace, or a service of the project.
    """

    targets: ClassVar[frozenset[str]] = HERE
    component: str
    name: str = ""

    def run(self, context: Context) -> Observation:
        if context.target == "compose":
            return Health(self.name or self.component).run(context)
        return Rollout(self.component, self.name).run(context)
