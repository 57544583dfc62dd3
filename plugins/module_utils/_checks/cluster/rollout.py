# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A workload is rolled out: what ``kubectl rollout status`` waits for, and why it is not there yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Context, Observation, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.pods import Blocker, blocker, is_ready, lacking
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.room import room
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.snapshot import Snapshot

Object = dict[str, Any]
PLURALS = {"deployment": "deployments", "statefulset": "statefulsets", "daemonset": "daemonsets"}


def find(snapshot: Snapshot, namespace: str, name: str) -> tuple[str, Object] | None:
    """The workload of a name, under its plural; None when there is none."""
    for plural in PLURALS.values():
        found = snapshot.find(plural, namespace, name)
        if found is not None:
            return plural, found
    return None


def workload_of(context: Context, component: str) -> tuple[str, str, str]:
    """Plural, namespace and name of the workload that the contract says a component is.

    Raises ParityError ``CONTRACT_NOT_RENDERED`` where it is none that keeps running.
    """
    service = context.service(component)
    resource, _separator, name = str(service.get("workload")).partition("/")
    if resource not in PLURALS:
        seen = f"the rendered contract says that {component} is {service.get('workload')}, none of {', '.join(PLURALS)}"
        raise ParityError("CONTRACT_NOT_RENDERED", seen)
    return PLURALS[resource], str(service["namespace"]), name


def labels_of(workload: Object) -> dict[str, str]:
    """What the pods of a workload are found by."""
    found: dict[str, str] = ((workload.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
    return found


def pods_of(context: Context, component: str) -> list[Object]:
    """The pods of a component's workload or Job that are not on their way out, oldest first."""
    service = context.service(component)
    if str(service.get("workload")).startswith("job/"):
        # Where the Job is gone, no label of it tells which pods were its own.
        pods = context.snapshot.pods(str(service["namespace"]), {"batch.kubernetes.io/job-name": component})
        return [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
    plural, namespace, name = workload_of(context, component)
    workload = context.snapshot.find(plural, namespace, name) or {}
    return [pod for pod in context.snapshot.pods(namespace, labels_of(workload)) if not pod["metadata"].get("deletionTimestamp")]


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


def in_room(snapshot: Snapshot, pod: Object) -> Blocker:
    """What keeps a pod from being ready; who takes the room, where no node has enough of it."""
    found = blocker(pod)
    words = "; ".join(filter(None, (room(snapshot, pod, resource) for resource in lacking(pod))))
    return Blocker(f"{found.seen} {words}", found.reason, found.grace) if words else found


def why(snapshot: Snapshot, namespace: str, workload: Object) -> Blocker | None:
    """What keeps the newest pod that is not ready from being so, with the last warning about it."""
    waiting = [pod for pod in snapshot.pods(namespace, labels_of(workload)) if not is_ready(pod)]
    if not waiting:
        return None
    found = in_room(snapshot, waiting[-1])
    events = snapshot.warnings(namespace, waiting[-1]["metadata"]["name"])
    if events:
        last = f"; last event: {events[-1].get('reason')}: {' '.join(str(events[-1].get('message')).split())[:160]}"
        found = Blocker(found.seen + last, found.reason, found.grace)
    return found


@dataclass(frozen=True)
class Rollout:
    """The workload has all its replicas updated and ready at its newest generation.

    It is the component's own, or another one of ``name`` in its namespace.
    """

    component: str
    name: str = ""

    def run(self, context: Context) -> Observation:
        namespace = str(context.service(self.component)["namespace"])
        name = self.name or workload_of(context, self.component)[2]
        there = find(context.snapshot, namespace, name)
        if there is None:
            return failed("WORKLOAD_NOT_READY", f"no workload {name} is in namespace {namespace}")
        plural, workload = there
        resource = f"{plural[:-1]}/{name}"
        wrong = problem(plural, workload)
        if not wrong:
            have, want = replicas(plural, workload)
            return passed(f"{resource}: {have}/{want} ready")
        found = why(context.snapshot, namespace, workload)
        if found is None:
            return failed("WORKLOAD_NOT_READY", f"{resource}: {wrong}")
        return failed(found.reason, found.seen, found.grace, resource=resource, namespace=namespace, state=wrong)
