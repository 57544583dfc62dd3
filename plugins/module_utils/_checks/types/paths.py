# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every component reaches what it needs, over a connection of this moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.cluster.connections import Connection, refused
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.cluster.rollout import PLURALS, pods_of
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import KUBERNETES, Context, Observation, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.pods import container_ids


@dataclass(frozen=True)
class Paths:
    """Each port of each component answers at the address of its Service, and from every pod of each component each port
    of what it ``needs`` at the name of its Service.

    Processes keep connections, so that a Service which is gone, or leads nowhere, is not missed until they connect again.
    Here each connection is opened in the pod's own network, with the names that its resolver knows, and closed at once.
    Nothing is started in the pod.
    """

    targets: ClassVar[frozenset[str]] = KUBERNETES
    timeout: float = 3.0

    def run(self, context: Context) -> Observation:
        served = {name: one for name, one in context.contract["services"].items() if one.get("ports") and not one.get("provided_by")}
        wanted: list[Connection] = []
        for name, service in served.items():
            address = _address(context, service)
            if not address:
                return failed("PATH_CLOSED", f"{name}: there is no Service {_place(service)}")
            wanted += [Connection("the node", "", address, int(port), f"{_place(service)} ({name})") for port in service["ports"].values()]
        for name, service in context.contract["services"].items():
            needs = [served[need] for need in service.get("needs") or () if need in served]
            if not needs or service.get("provided_by") or str(service.get("workload")).partition("/")[0] not in PLURALS:
                continue
            inside = [one for pod in pods_of(context, name) for one in container_ids(pod)[:1]]
            if not inside:
                return failed("PATH_CLOSED", f"{name}: no pod of it runs, so nothing was tried from there")
            wanted += [
                Connection(name, ident, str(need["host"]), int(port), str(need["host"]))
                for ident in inside
                for need in needs
                for port in need["ports"].values()
            ]
        closed = refused(context, wanted, self.timeout)
        if closed:
            return failed("PATH_CLOSED", "; ".join(map(str, closed)))
        return passed(f"{len(wanted)} connections opened: to {', '.join(served)}, each from the node and from whoever needs it")


def _place(service: dict[str, Any]) -> str:
    """Namespace and name of a component's Service."""
    return f"{service['namespace']}/{str(service['host']).partition('.')[0]}"


def _address(context: Context, service: dict[str, Any]) -> str:
    namespace, _slash, name = _place(service).partition("/")
    found = context.snapshot.find("services", namespace, name) or {}
    return str((found.get("spec") or {}).get("clusterIP") or "")
