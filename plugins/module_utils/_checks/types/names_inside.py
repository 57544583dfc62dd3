# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Public names as processes inside see them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.cluster.names import ClusterNames
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import HERE, Context, Observation, hosts_of
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.project.names import ProjectNames


def speakers(contract: dict[str, Any], names: list[str]) -> list[str]:
    """The components that run here and have a setting with one of the names in it: they ask for it."""

    def says(service: dict[str, Any]) -> bool:
        values = [str(value) for value in (service.get("settings") or {}).values()]
        return any(name in value for name in names for value in values)

    return [name for name, service in contract["services"].items() if not service.get("provided_by") and says(service)]


@dataclass(frozen=True)
class NamesInside:
    """Inside the platform every public name, or those of ``names``, leads to the component ``to``, by default the own one.

    So a process inside meets the same ingress, certificate and issuer at the same URL as a browser outside. A cluster's
    DNS service is asked; in a project each container whose settings hold one of the names.
    """

    targets: ClassVar[frozenset[str]] = HERE
    component: str
    to: str = ""
    names: list[str] = field(default_factory=list)

    def run(self, context: Context) -> Observation:
        names, to = self.names or hosts_of(context.contract), self.to or self.component
        if context.target == "compose":
            inside = [name for name in speakers(context.contract, names) if name != to]
            return ProjectNames(names, to, inside).run(context)
        return ClusterNames(names, str(context.service(to)["host"])).run(context)
