# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A workload is rolled out: what ``kubectl rollout status`` waits for, and why it is not there yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ansible_collections.gpuaas.parity.plugins.module_utils._kube.pods import Blocker, blocker, is_ready
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.snapshot import Snapshot
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.model import KUBERNETES, Context, Observation, failed, passed

Object = dict[str, Any]
PLURALS = {"deployment": "deployments", "statefulset": "statefulsets", "daemonset": "daemonsets"}


def resource_of(text: str, allowed: dict[str, str]) -> tuple[str, str]:
    """``deployment/api`` as plural and name; ValueError for a kind that is not allowed."""
    kind, _separator, name = text.partition("/")
    if kind not in allowed or not name:
        raise ValueError(f"{text!r} is not one of {', '.join(allowed)} and a name")
    return allowed[kind], name


def replicas(plural: str, workload: Object) -> tuple[int, int]:
    """How many replicas are updated and ready, and how many should be."""
    spec, status = workload.get("spec") or {}, workload.get("status") or {}
    if plural == "daemonsets":
        have = min(int(status.get(key) or 0) for key in ("numberReady", "updatedNumberScheduled"))
        return have, int(status.get("desiredNumberScheduled") or 0)
    keys = ["readyReplicas", "updatedReplicas", "availableReplicas"]
    return min(int(status.get(key) or 0) for key in keys), int(spec.get("replicas", 1))


def problem(plural: str, workload: Object) -> str:
    """Why a workload is not rolled out, by its own status; empty when it is."""
    status = workload.get("status") or {}
    if int(status.get("observedGeneration") or 0) < int(workload["metadata"].get("generation") or 0):
        return "its newest generation is not observed yet"
    have, want = replicas(plural, workload)
    if want == 0:
        return "it wants no replicas"
    if have < want:
        return f"{have}/{want} ready"
    if plural != "daemonsets" and int(status.get("replicas") or 0) > want:
        return f"{status['replicas']} replicas, {want} wanted: old ones are still there"
    return ""


def why(snapshot: Snapshot, namespace: str, workload: Object) -> Blocker | None:
    """What keeps the newest pod that is not ready from being so, with the last warning about it."""
    labels = ((workload.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
    waiting = [pod for pod in snapshot.pods(namespace, labels) if not is_ready(pod)]
    if not waiting:
        return None
    found = blocker(waiting[-1])
    events = snapshot.warnings(namespace, waiting[-1]["metadata"]["name"])
    if events:
        last = f"; last event: {events[-1].get('reason')}: {' '.join(str(events[-1].get('message')).split())[:160]}"
        found = Blocker(found.seen + last, found.reason, found.grace)
    return found


@dataclass(frozen=True)
class Workload:
    """``resource`` (``deployment/api``) has all its replicas updated and ready at its newest generation."""

    targets: ClassVar[frozenset[str]] = KUBERNETES
    component: str
    resource: str
    namespace: str = ""

    def __post_init__(self) -> None:
        resource_of(self.resource, PLURALS)

    def run(self, context: Context) -> Observation:
        plural, name = resource_of(self.resource, PLURALS)
        namespace = self.namespace or str(context.service(self.component)["namespace"])
        workload = context.snapshot.find(plural, namespace, name)
        if workload is None:
            return failed("WORKLOAD_NOT_READY", f"{self.resource} is not in namespace {namespace}")
        wrong = problem(plural, workload)
        if not wrong:
            have, want = replicas(plural, workload)
            return passed(f"{self.resource}: {have}/{want} ready")
        found = why(context.snapshot, namespace, workload)
        if found is None:
            return failed("WORKLOAD_NOT_READY", f"{self.resource}: {wrong}")
        return failed(found.reason, found.seen, found.grace, resource=self.resource, namespace=namespace, state=wrong)
