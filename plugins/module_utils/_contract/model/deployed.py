# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a component runs, read from its manifests, which are the authority on it."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.manifests import NAME_LABEL, WORKLOADS, Base, Manifest, dig
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

    Raises ParityError CONTRACT_MANIFEST_MISMATCH where there is no workload of that name, or no Service for its ports.
    """
    workload = next((m for m in base.of_kind(*WORKLOADS, "Job") if m.name == name), None)
    if workload is None:
        raise ParityError(_MISMATCH, f"{label}: no {', '.join(WORKLOADS)} or Job named {name}, as its component is")
    service = _service(name, base, workload)
    if connected and not service:
        raise ParityError(_MISMATCH, f"{label}: no Service of {name}, whose component.yml has ports")
    counted = workload.kind in ("Deployment", "StatefulSet")
    return Deployed(
        kind=workload.kind,
        namespace=workload.namespace or "default",
        service=service,
        replicas=int(dig(workload.data, "spec", "replicas") or 1) if counted else 0,
        storage=str(dig(workload.data, "spec", "volumeClaimTemplates", 0, "spec", "resources", "requests", "storage") or ""),
        jobs=tuple(m.name for m in base.of_kind("Job") if m.name != name),
    )


def _service(name: str, base: Base, workload: Manifest) -> str:
    """The Service named as the component, or the only one that selects it."""
    near = [m.name for m in base.of_kind("Service") if m.namespace == workload.namespace]
    selecting = [m.name for m in base.of_kind("Service") if dig(m.data, "spec", "selector", NAME_LABEL) == name]
    if name in near:
        return name
    return selecting[0] if len(selecting) == 1 else ""
