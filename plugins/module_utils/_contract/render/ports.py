# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one port of a service in its manifests: where its Service states it, and where its container does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.manifests import Base, Manifest, dig, items


@dataclass(frozen=True)
class PortPlace:
    """A Service of one port, and the container port that it leads to by name."""

    service: Manifest
    workload: Manifest
    container: int
    index: int

    @property
    def numbers(self) -> tuple[Any, Any]:
        """The ports that Service and container state."""
        path = ("spec", "containers", self.container, "ports", self.index, "containerPort")
        return dig(self.service.data, "spec", "ports", 0, "port"), dig(self.workload.pod_template, *path)


def services_at(base: Base, service: dict[str, Any]) -> list[Manifest]:
    """The Service objects that the host of a resolved component leads to; none for one without ports."""
    name = service.get("host", "").split(".")[0]
    return [m for m in base.of_kind("Service") if (m.name, m.namespace) == (name, service["namespace"])]


def container_ports(workload: Manifest) -> list[dict[str, Any]]:
    """The ports that the containers of a workload declare."""
    return [port for container in items(workload.pod_template, "spec", "containers") for port in items(container, "ports")]


def port_place(base: Base, service: dict[str, Any], workload: Manifest) -> PortPlace | None:
    """Where the port stands; None when it is not exactly one, or the Service does not lead to it by name."""
    objects = services_at(base, service)
    ports = items(objects[0].data, "spec", "ports") if len(objects) == 1 else []
    if len(ports) != 1:
        return None
    target = dig(ports, 0, "targetPort")
    found = [
        PortPlace(objects[0], workload, i, j)
        for i, container in enumerate(items(workload.pod_template, "spec", "containers"))
        for j, port in enumerate(items(container, "ports"))
        if isinstance(target, str) and dig(port, "name") == target
    ]
    return found[0] if len(found) == 1 else None
