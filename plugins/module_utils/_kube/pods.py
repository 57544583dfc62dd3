# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps a pod from being ready, in one line, and whether waiting can help."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]

# Waiting reasons of the kubelet that do not heal by themselves: the reason id they become
# and the seconds that they are given, since another part of the same `up` may still be on its way.
HOPELESS: dict[str, tuple[str, float]] = {
    "ErrImageNeverPull": ("IMAGE_NOT_ON_NODE", 5.0),
    "ErrImagePull": ("IMAGE_NOT_ON_NODE", 10.0),
    "ImagePullBackOff": ("IMAGE_NOT_ON_NODE", 10.0),
    "InvalidImageName": ("IMAGE_NOT_ON_NODE", 0.0),
    "CreateContainerConfigError": ("CONTAINER_CONFIG_BROKEN", 20.0),
    "CreateContainerError": ("CONTAINER_CONFIG_BROKEN", 20.0),
    "RunContainerError": ("CONTAINER_CONFIG_BROKEN", 20.0),
}

# The kubelet pauses 10, 20 and 40 s before it starts a crashing container again; what
# still ends after the third time does so for a reason of its own. The grace is within
# the fourth pause.
CRASHES = 3
CRASH_GRACE = 20.0
# Characters that are shown of what a container's state says.
_WORDS = 300

# What the scheduler says of a resource that all nodes together have too little left of
# (kubernetes: pkg/scheduler/framework/plugins/noderesources/fit.go). Room comes when a pod
# ends that is on its way out, and the longest of the platform's may take 30 s for it.
_INSUFFICIENT = re.compile(r"Insufficient ([a-z][a-z0-9./-]*[a-z0-9])")
ROOM_GRACE = 60.0


@dataclass(frozen=True)
class Blocker:
    """Why a pod is not ready; ``grace`` is None when it may become so by itself, else seconds to give it."""

    seen: str
    reason: str = "WORKLOAD_NOT_READY"
    grace: float | None = None


def is_ready(pod: Object) -> bool:
    """Whether the pod's Ready condition is True and it is not on its way out."""
    if pod["metadata"].get("deletionTimestamp"):
        return False
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in pod.get("status", {}).get("conditions") or [])


def container_ids(pod: Object) -> list[str]:
    """The ids of the pod's containers that run, as its container runtime knows them."""
    statuses = pod.get("status", {}).get("containerStatuses") or []
    running = [one for one in statuses if (one.get("state") or {}).get("running") and one.get("containerID")]
    return [str(one["containerID"]).rpartition("/")[2] for one in running]


def restarts(pod: Object) -> int:
    """Restarts of all the pod's containers together."""
    return sum(int(status.get("restartCount") or 0) for status in pod.get("status", {}).get("containerStatuses") or [])


def lacking(pod: Object) -> list[str]:
    """The resources, such as ``cpu``, that no node has enough of for a pod that waits for one."""
    return list(dict.fromkeys(_INSUFFICIENT.findall(_unplaced(pod))))


def _unplaced(pod: Object) -> str:
    """Why the scheduler found no node for a pod; empty when it did, or has not looked yet."""
    for condition in (pod.get("status") or {}).get("conditions") or []:
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return str(condition.get("message") or condition.get("reason") or "the scheduler says no cause")
    return ""


def blocker(pod: Object) -> Blocker:
    """What keeps a pod from being ready: container state first, then scheduling, then its phase."""
    name = pod["metadata"]["name"]
    status = pod.get("status") or {}
    if pod["metadata"].get("deletionTimestamp"):
        return Blocker(f"pod {name} is terminating")
    for container in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        found = _container(name, container)
        if found:
            return found
    if unplaced := _unplaced(pod):
        seen = f"pod {name} is not scheduled: {unplaced}"
        return Blocker(seen, "POD_UNSCHEDULABLE", ROOM_GRACE) if lacking(pod) else Blocker(seen)
    if status.get("phase") == "Running":
        statuses = status.get("containerStatuses") or []
        ready = sum(1 for container in statuses if container.get("ready"))
        again = f", {restarts(pod)} restarts" if restarts(pod) else ""
        return Blocker(f"pod {name} starting ({ready}/{len(statuses)}{again}){_before(statuses)}")
    return Blocker(f"pod {name} is {status.get('phase') or 'unknown'}")


def _container(pod: str, container: Object) -> Blocker | None:
    state = container.get("state") or {}
    label = f"pod {pod}, container {container.get('name')}"
    waiting = state.get("waiting")
    if waiting and waiting.get("reason") not in (None, "PodInitializing", "ContainerCreating"):
        kind = str(waiting["reason"])
        reason, grace = HOPELESS.get(kind, ("WORKLOAD_NOT_READY", None))
        if kind == "CrashLoopBackOff" and int(container.get("restartCount") or 0) >= CRASHES:
            reason, grace = "CONTAINER_CRASHING", CRASH_GRACE
        last = (container.get("lastState") or {}).get("terminated") or {}
        ended = f" after exit {last.get('exitCode')}" if last else ""
        return Blocker(f"{label}: {kind}{ended}{_told(last) or _told(waiting)}", reason, grace)
    ended_state = state.get("terminated")
    if ended_state and ended_state.get("exitCode"):
        return Blocker(f"{label}: ended with {ended_state['exitCode']} ({ended_state.get('reason')}){_told(ended_state)}")
    return None


def _before(statuses: list[Object]) -> str:
    """What a container that runs again said when it ended with a failure the last time."""
    for container in statuses:
        last = (container.get("lastState") or {}).get("terminated") or {}
        if not container.get("ready") and last.get("exitCode") and _told(last):
            return f", before ended with {last['exitCode']}{_told(last)}"
    return ""


def _told(state: Object) -> str:
    """What a state says: of a container that ended its own last words to the kubelet, else the kubelet's."""
    words = " ".join(str(state.get("message") or "").split())
    return f": {words[:_WORDS]}" if words else ""
