# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing of the Compose project listens on an address that another machine can reach."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.cluster.node_ports import is_loopback
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Context, Observation, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import name_of, ports, service_of


@dataclass(frozen=True)
class PublishedPorts:
    """Every port that a container of the project publishes is on 127.0.0.1 or ::1, and none shares the host's network.

    Containers that do not run count too: they would bind at their next start. At least one port is published,
    else nothing was proved.
    """

    def run(self, context: Context) -> Observation:
        bound: list[str] = []
        wrong: list[str] = []
        for container in context.project.containers():
            mode = str((container.get("HostConfig") or {}).get("NetworkMode"))
            if mode == "host":
                wrong.append(f"{name_of(container)} shares the host's network")
            for address, host_port, port in ports(container):
                words = f"{service_of(container)} {address or '*'}:{host_port} -> {port}"
                (bound if is_loopback(address) else wrong).append(words)
        if wrong:
            return failed("LISTENS_OFF_LOOPBACK", "; ".join(wrong[:5]), ports=wrong)
        if not bound:
            return failed("LISTENS_OFF_LOOPBACK", f"the project {context.project.name} publishes no port; is it running?")
        return passed(", ".join(bound))
