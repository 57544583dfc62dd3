"""A machine, a node and a cluster that a test describes."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Completed

Object = dict[str, Any]


@dataclass
class Machine:
    """Answers commands: the longest matching beginning wins; everything else prints its own words."""

    answers: Mapping[str, Completed | ParityError] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __call__(self, argv: Sequence[str], **_options: object) -> Completed:
        command = " ".join(argv)
        self.asked.append(command)
        for start in sorted(self.answers, key=len, reverse=True):
            if command.startswith(start):
                answer = self.answers[start]
                if isinstance(answer, ParityError):
                    raise answer
                return answer
        return Completed(f"output of {command}\n", "", 0)


@dataclass
class Cluster:
    """A reader over pods, events and logs by ``namespace/pod/container``; ``hangs`` never answers about those lists."""

    pods: list[Object] = field(default_factory=list)
    events: list[Object] = field(default_factory=list)
    log: Mapping[str, str] = field(default_factory=dict)
    refuses: frozenset[str] = frozenset()
    hangs: frozenset[str] = frozenset()
    asked: list[str] = field(default_factory=list)

    def list(self, resource: str, namespace: str = "", labels: str = "", fields: str = "") -> list[Object]:
        self.asked.append(resource)
        if resource in self.hangs:
            threading.Event().wait()
        if resource in self.refuses:
            raise ParityError("KUBE_API_REFUSED", f"{resource}: 403")
        return {"pods": self.pods, "events": self.events}.get(resource, [])

    def text(self, path: str, params: dict[str, str] | None = None) -> str:
        self.asked.append(path)
        return f"answer of {path}"

    def logs(self, namespace: str, pod: str, container: str = "", *, tail: int | None = None, previous: bool = False) -> Iterator[str]:
        self.asked.append(f"log {tail}")
        name = f"{namespace}/{pod}/{container}{' previous' if previous else ''}"
        if name not in self.log:
            raise ParityError("KUBE_API_REFUSED", f"{name}: 404")
        yield from self.log[name].splitlines()


def pod(name: str, *, ready: bool = True, restarts: int = 0, waiting: str = "", namespace: str = "gpuaas-data") -> Object:
    """A pod with one container ``main``, as the API describes it."""
    state: Object = {"waiting": {"reason": waiting}} if waiting else {"running": {"startedAt": "2026-03-14T09:00:00Z"}}
    status: Object = {"name": "main", "ready": ready, "restartCount": restarts, "state": state}
    if restarts:
        status["lastState"] = {"terminated": {"exitCode": 3, "reason": "Error", "finishedAt": "2026-03-14T09:10:00Z"}}
    return {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "creationTimestamp": "2026-03-14T09:00:00Z",
            "managedFields": [{"manager": "kubelet"}],
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "note": "kept"},
        },
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "containerStatuses": [status],
        },
    }


def warning(name: str, message: str, *, at: str = "2026-03-14T09:05:00Z", namespace: str = "gpuaas-data") -> Object:
    """A Warning event about a pod."""
    return {
        "metadata": {"name": f"{name}.1", "namespace": namespace},
        "involvedObject": {"kind": "Pod", "name": name, "namespace": namespace},
        "type": "Warning",
        "reason": "BackOff",
        "message": message,
        "lastTimestamp": at,
        "count": 4,
    }
