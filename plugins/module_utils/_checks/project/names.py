# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Public names as containers see them: asked inside the project, through the resolver that its processes use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Context, Observation, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import is_running

Object = dict[str, Any]
_PATIENCE = 10.0


def addresses(container: Object) -> set[str]:
    """The addresses of a container in its networks."""
    networks = (container.get("NetworkSettings") or {}).get("Networks") or {}
    return {str(one[key]) for one in networks.values() for key in ("IPAddress", "GlobalIPv6Address") if one.get(key)}


@dataclass(frozen=True)
class ProjectNames:
    """Inside the container of each of ``services`` every name resolves to ``service``, and to nothing else.

    So a process inside meets the same ingress, certificate and issuer at the same URL as a browser outside.
    """

    names: list[str]
    service: str
    services: list[str]

    def run(self, context: Context) -> Observation:
        wanted = {address for container in context.project.of(self.service) for address in addresses(container)}
        if not wanted:
            return failed("PROJECT_DNS_WRONG", f"no container of {self.service} runs in the project {context.project.name}")
        for service in self.services:
            running = [item for item in context.project.of(service) if is_running(item)]
            if not running:
                return failed("PROJECT_DNS_WRONG", f"no container of {service} runs, so nothing was asked in it")
            for name in self.names:
                # ahosts: what getaddrinfo gives to a program there, hosts file and resolver together.
                command = ["exec", str(running[-1]["Id"]), "getent", "ahosts", name]
                done = context.docker.call(*command, timeout=_PATIENCE, check=False)
                found = {line.split()[0] for line in done.stdout.splitlines() if line.strip()}
                if done.rc != 0 or not found or not found <= wanted:
                    seen = ", ".join(sorted(found)) or "not known"
                    return failed("PROJECT_DNS_WRONG", f"{name} is {seen} in {service}, not {self.service} ({', '.join(sorted(wanted))})")
        return passed(f"{', '.join(self.names)} are {self.service} in {', '.join(self.services)}")
