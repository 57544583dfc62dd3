"""Kubernetes objects as tests need them: short to write, shaped like the API's."""

from __future__ import annotations

from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

Object = dict[str, Any]


class FakeReader:
    """Answers lists and reads from memory, and counts them. ``error`` makes every read fail."""

    def __init__(self, objects: dict[str, list[Object]] | None = None, error: ParityError | None = None) -> None:
        self.objects = objects or {}
        self.error = error
        self.reads: list[str] = []

    def list(self, resource: str, namespace: str = "", labels: str = "", fields: str = "") -> list[Object]:
        self.reads.append(f"{resource}{'?' + fields if fields else ''}")
        if self.error:
            raise self.error
        return self.objects.get(resource, [])

    def read(self, resource: str, name: str, namespace: str = "") -> Object | None:
        self.reads.append(f"{resource}/{namespace}/{name}")
        if self.error:
            raise self.error
        for item in self.objects.get(resource, []):
            if item["metadata"]["name"] == name and item["metadata"].get("namespace", "") == namespace:
                return item
        return None


def named(name: str, namespace: str = "", **more: Any) -> Object:
    meta: Object = {"name": name, "creationTimestamp": "2026-11-21T10:00:00Z"}
    if namespace:
        meta["namespace"] = namespace
    return {"metadata": meta, **more}


def workload(name: str, namespace: str, ready: int = 1, wanted: int = 1, **status: Any) -> Object:
    """A deployment or statefulset that is rolled out unless told otherwise."""
    item = named(name, namespace)
    item["metadata"]["generation"] = 2
    item["spec"] = {"replicas": wanted, "selector": {"matchLabels": {"app.kubernetes.io/name": name}}}
    item["status"] = {
        "observedGeneration": 2,
        "replicas": wanted,
        "readyReplicas": ready,
        "updatedReplicas": wanted,
        "availableReplicas": ready,
        **status,
    }
    return item


def pod(name: str, namespace: str, service: str, ready: bool = True, **container: Any) -> Object:
    """A pod with one container; ``container`` is added to that container's status."""
    item = named(name, namespace)
    item["metadata"]["labels"] = {"app.kubernetes.io/name": service}
    item["spec"] = {"containers": [{"name": service, "image": service}]}
    item["status"] = {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
        "containerStatuses": [{"name": service, "ready": ready, "restartCount": 0, "state": {"running": {}}, **container}],
    }
    return item


def waiting(reason: str, message: str = "", **more: Any) -> Object:
    """A container's status: waiting for a reason of the kubelet's."""
    return {"state": {"waiting": {"reason": reason, "message": message}}, **more}


def warning(namespace: str, name: str, reason: str, message: str, at: str = "2026-11-21T10:00:05Z") -> Object:
    event = named(f"{name}.{at}", namespace)
    event |= {"involvedObject": {"name": name, "namespace": namespace}, "reason": reason, "message": message}
    event["lastTimestamp"] = at
    return event
