# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job has done its work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.cluster.job import ClusterJob
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import HERE, Context, Observation
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.project.job import ProjectJob


@dataclass(frozen=True)
class Job:
    """The job is complete: the component itself, or a job of ``name`` that belongs to it."""

    targets: ClassVar[frozenset[str]] = HERE
    component: str
    name: str = ""

    def run(self, context: Context) -> Observation:
        name = self.name or self.component
        return ProjectJob(name).run(context) if context.target == "compose" else ClusterJob(self.component, name).run(context)
