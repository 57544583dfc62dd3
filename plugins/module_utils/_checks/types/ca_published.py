# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A component trusts the CA that this run made, and no older one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.cluster.ca import PodCa
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import HERE, Context, Observation
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.project.ca import ContainerCa


@dataclass(frozen=True)
class CaPublished:
    """In everything that runs of the component ``file`` (an absolute path) holds the run's own CA."""

    targets: ClassVar[frozenset[str]] = HERE
    component: str
    file: str

    def run(self, context: Context) -> Observation:
        look = ContainerCa if context.target == "compose" else PodCa
        return look(self.component, self.file).run(context)
