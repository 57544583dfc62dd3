# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing of the cluster listens on an address that another machine can reach."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Context, Observation, failed, passed


def is_loopback(address: str) -> bool:
    """Whether a port bound to an address as Docker writes it is reached from this machine alone."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:  # Docker writes nothing for "every address"
        return False


@dataclass(frozen=True)
class NodePorts:
    """Every port that the node's container publishes, the API's among them, is on 127.0.0.1 or ::1.

    The node does not share the host's network. At least one port is published, else nothing was proved.
    """

    def run(self, context: Context) -> Observation:
        containers = context.docker.objects("container", [context.node])
        if not containers:
            return failed("LISTENS_OFF_LOOPBACK", f"there is no container {context.node} to inspect")
        node = containers[0]
        if ((node.get("HostConfig") or {}).get("NetworkMode")) == "host":
            return failed("LISTENS_OFF_LOOPBACK", f"{context.node} shares the host's network")
        ports = (node.get("NetworkSettings") or {}).get("Ports") or {}
        bound = [(port, str(to.get("HostIp", "")), str(to.get("HostPort"))) for port, tos in ports.items() for to in tos or []]
        if not bound:
            return failed("LISTENS_OFF_LOOPBACK", f"{context.node} publishes no port; is it running?")
        wide = [f"{address or '*'}:{host_port} -> {port}" for port, address, host_port in bound if not is_loopback(address)]
        if wide:
            return failed("LISTENS_OFF_LOOPBACK", f"{context.node} publishes {', '.join(wide)}")
        return passed(", ".join(f"{address}:{host_port} -> {port}" for port, address, host_port in sorted(bound)))
