# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a running component is configured with is what the contract says: keys and values, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.cluster.certificates import PodCertificates
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.cluster.configuration import PodConfiguration
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import HERE, Context, Observation
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.project.certificates import ContainerCertificates
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.project.configuration import ContainerConfiguration


@dataclass(frozen=True)
class Configuration:
    """Settings and secrets of the component's pods or containers are exactly the contract's, its certificates the run's.

    Its own certificates are the files of tls/, and none of them is about to expire. With ``certificates`` containers of
    a project hold those of every endpoint as well.
    """

    targets: ClassVar[frozenset[str]] = HERE
    component: str
    certificates: bool = False

    def run(self, context: Context) -> Observation:
        if context.target == "compose":
            found = ContainerConfiguration(self.component, self.certificates).run(context)
        else:
            found = PodConfiguration(self.component).run(context)
        if not found.ok or not context.service(self.component).get("certificates"):
            return found
        shown = (ContainerCertificates if context.target == "compose" else PodCertificates)(self.component).run(context)
        return replace(shown, seen=f"{found.seen}; {shown.seen}") if shown.ok else shown
