# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a component runs, read from its manifests, which are the authority on it."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.manifests import MAIN, NAME_LABEL, Base, Manifest, dig
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

_MISMATCH = "CONTRACT_MANIFEST_MISMATCH"


@dataclass(frozen=True)
class Deployed:
    """The main object of a component, a workload or a Job, and the Service that leads to it.

    ``service`` is empty for a component that nobody connects to, ``storage`` (a Kubernetes
    quantity) for one that keeps nothing. ``replicas`` is 0 for what is not counted. ``jobs``
    are the further Jobs of the component.
    """

    kind: str
    namespace: str
    service: str
    replicas: int
    storage: str
    jobs: tuple[str, ...]

    @property
    def cluster_host(self) -> str:
        """The DNS name of its Service (kubernetes.io, "DNS for Services and Pods"); empty without one."""
        return f"{self.service}.{self.namespace}.svc.cluster.local" if self.service else ""


def deployed(name: str, base: Base, label: str, *, connected: bool) -> Deployed:
    """Read ``base``, the manifests of component ``name``; ``connected`` says that it has ports.

    Raises ParityError CONTRACT_MANIFEST_MISMATCH where there is no workload of that name, none that says its
    namespace and a number of replicas, or no Service for its ports.
    """
    workload = next((m for m in base.of_kind(*MAIN) if m.name == name), None)
    if workload is None:
        raise ParityError(_MISMATCH, f"{label}: no {', '.join(MAIN[:-1])} or {MAIN[-1]} named {name}, as its component is")
    if not workload.namespace:
        raise ParityError(_MISMATCH, f"{workload.where}: names no namespace", "add metadata.namespace to it")
    service = _service(name, base, workload)
    if connected and not service:
        seen = f"{label}: no Service of {name} in namespace {workload.namespace}, and its component.yml has ports"
        raise ParityError(_MISMATCH, seen, f"add a Service named {name} that exposes them, or remove the ports")
    return Deployed(
        kind=workload.kind,
        namespace=workload.namespace,
        service=service,
        replicas=_replicas(workload) if workload.kind in ("Deployment", "StatefulSet") else 0,
        storage=str(dig(workload.data, "spec", "volumeClaimTemplates", 0, "spec", "resources", "requests", "storage") or ""),
        jobs=tuple(m.name for m in base.of_kind("Job") if m.name != name),
    )


def _service(name: str, base: Base, workload: Manifest) -> str:
    """The Service named as the component, or the only one that selects it."""
    near = [m for m in base.of_kind("Service") if m.namespace == workload.namespace]
    if name in (m.name for m in near):
        return name
    selecting = [m.name for m in near if dig(m.data, "spec", "selector", NAME_LABEL) == name]
    return selecting[0] if len(selecting) == 1 else ""


def _replicas(workload: Manifest) -> int:
    count = dig(workload.data, "spec", "replicas")
    if count is None:
        # The API server's own default.
        return 1
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ParityError(_MISMATCH, f"{workload.where}: spec.replicas must be a number from 1")
    return count
