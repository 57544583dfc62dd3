"""An API server in memory, for what asks it for kinds and metadata."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Object = dict[str, Any]

APPLIED = [{"manager": "gpuaas.parity", "operation": "Apply"}]
BY_HAND = [{"manager": "kubectl-client-side-apply", "operation": "Update"}]
OURS = {"app.kubernetes.io/managed-by": "gpuaas.parity"}
# apiVersion, kind, plural, namespaced
KINDS = [
    ("v1", "Namespace", "namespaces", False),
    ("v1", "ConfigMap", "configmaps", True),
    ("v1", "Secret", "secrets", True),
    ("v1", "Service", "services", True),
    ("v1", "ServiceAccount", "serviceaccounts", True),
    ("v1", "Endpoints", "endpoints", True),
    ("v1", "Pod", "pods", True),
    ("v1", "PersistentVolume", "persistentvolumes", False),
    ("v1", "PersistentVolumeClaim", "persistentvolumeclaims", True),
    ("apps/v1", "Deployment", "deployments", True),
    ("apps/v1", "ReplicaSet", "replicasets", True),
    ("apps/v1", "StatefulSet", "statefulsets", True),
    ("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", False),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", False),
    ("gpu.example.com/v1", "Lease", "leases", True),
]
VERBS = ["create", "delete", "get", "list", "patch", "update", "watch"]


def live(
    kind: str,
    name: str,
    namespace: str = "",
    labels: Object | None = None,
    managed: list[Object] | None = None,
    **meta: Any,
) -> Object:
    """An object as it stands in the cluster: one of ours, if nothing else is said."""
    (api_version,) = (found[0] for found in KINDS if found[1] == kind)
    marks = {"labels": OURS if labels is None else labels, "managedFields": APPLIED if managed is None else managed}
    placed = {"namespace": namespace} if namespace else {}
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": name, **placed, **marks, **meta},
    }


@dataclass
class Api:
    """Answers as an API server of these kinds with these objects does; remembers what it was asked."""

    objects: list[Object] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def get(self, path: str, params: dict[str, str] | None = None, accept: str = "application/json") -> Object | None:
        """What a GET is answered with, None where there is nothing."""
        self.asked.append(path)
        if path in ("/api", "/apis"):
            assert "as=APIGroupDiscoveryList" in accept
            return {"items": self._groups(core=path == "/api")}
        for api_version, kind, plural, _namespaced in KINDS:
            root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
            if path.startswith(f"{root}/") and path.endswith(f"/{plural}"):
                assert "as=PartialObjectMetadataList" in accept
                place = path.removeprefix(root).removesuffix(f"/{plural}").removeprefix("/namespaces/")
                return {"items": self._list(kind, place, (params or {}).get("labelSelector", ""))}
        return None

    def _list(self, kind: str, namespace: str, selector: str) -> list[Object]:
        wanted = dict(pair.split("=") for pair in selector.split(",") if pair)
        return [
            {"metadata": obj["metadata"]}
            for obj in self.objects
            if obj["kind"] == kind
            and namespace in ("", obj["metadata"].get("namespace"))
            and wanted.items() <= obj["metadata"]["labels"].items()
        ]

    @staticmethod
    def _groups(core: bool) -> list[Object]:
        groups: dict[str, list[Object]] = {}
        for api_version, kind, plural, namespaced in KINDS:
            group, _separator, version = api_version.rpartition("/")
            groups.setdefault(f"{group}/{version}", []).append(
                {
                    "resource": plural,
                    "responseKind": {"group": group, "version": version, "kind": kind},
                    "scope": "Namespaced" if namespaced else "Cluster",
                    "verbs": VERBS,
                }
            )
        return [
            {"metadata": {"name": key.rpartition("/")[0]}, "versions": [{"version": key.rpartition("/")[2], "resources": resources}]}
            for key, resources in groups.items()
            if key.startswith("/") == core
        ]
