# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A read-only client of the Kubernetes API: get, list, logs, what an apply would do, and nothing that writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.kubeconfig import Kubeconfig
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import httpx

Object = dict[str, Any]

# Plural resource -> API root. What the platform consists of, and no more.
ROOTS: dict[str, str] = {
    "configmaps": "/api/v1",
    "endpoints": "/api/v1",
    "events": "/api/v1",
    "namespaces": "/api/v1",
    "nodes": "/api/v1",
    "persistentvolumeclaims": "/api/v1",
    "pods": "/api/v1",
    "secrets": "/api/v1",
    "serviceaccounts": "/api/v1",
    "services": "/api/v1",
    "daemonsets": "/apis/apps/v1",
    "deployments": "/apis/apps/v1",
    "replicasets": "/apis/apps/v1",
    "statefulsets": "/apis/apps/v1",
    "jobs": "/apis/batch/v1",
    "leases": "/apis/coordination.k8s.io/v1",
    "ingressclasses": "/apis/networking.k8s.io/v1",
    "ingresses": "/apis/networking.k8s.io/v1",
    "networkpolicies": "/apis/networking.k8s.io/v1",
    "storageclasses": "/apis/storage.k8s.io/v1",
}
RESTART = "docker ps -a shows the node; {up} starts and repairs it"


def resource_path(resource: str, namespace: str = "", name: str = "") -> str:
    """The URL path of a resource: of one object, of a namespace's, or of all namespaces'."""
    parts = [ROOTS[resource], *(["namespaces", namespace] if namespace else []), resource, *([name] if name else [])]
    return "/".join(parts)


class KubeReader:
    """Reads the cluster that a kubeconfig names; thread-safe; close it or use it in a ``with``.

    ``timeout`` is seconds for each phase of a request. Every method raises ParityError
    ``KUBE_API_UNREACHABLE`` when nobody answers and ``KUBE_API_REFUSED`` when the answer is an error.
    """

    def __init__(self, kubeconfig: Kubeconfig, timeout: float = 3.0) -> None:
        self.kubeconfig = kubeconfig
        self._http = httpx.Client(
            base_url=kubeconfig.server,
            verify=kubeconfig.tls_context(),
            timeout=timeout,
            trust_env=False,
            headers={"User-Agent": "gpuaas.parity"},
        )

    @classmethod
    def from_file(cls, path: str | Path, timeout: float = 3.0) -> KubeReader:
        """A reader for one kubeconfig file; raises what ``Kubeconfig.load`` raises."""
        return cls(Kubeconfig.load(path), timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    @contextmanager
    def _failures(self, path: str) -> Iterator[None]:
        try:
            yield
        except httpx.TransportError as error:
            seen = f"{self.kubeconfig.server}{path}: {type(error).__name__}: {error}"
            raise ParityError("KUBE_API_UNREACHABLE", seen, RESTART) from error

    def _refused(self, path: str, response: httpx.Response) -> ParityError:
        try:
            message = str(response.json()["message"])
        except (ValueError, KeyError, TypeError):
            message = response.text[:200]
        return ParityError("KUBE_API_REFUSED", f"{path}: {response.status_code} {message}", RESTART)

    def get(self, path: str, params: dict[str, str] | None = None, accept: str = "application/json") -> Object | None:
        """The JSON object at a path, in the form that ``accept`` names; None when there is none (404)."""
        with self._failures(path):
            response = self._http.get(path, params=params, headers={"Accept": accept})
        if response.status_code == 404:
            return None
        if response.status_code != 200:
            raise self._refused(path, response)
        body = response.json()
        if not isinstance(body, dict):
            raise ParityError("KUBE_API_REFUSED", f"{path}: the answer is not an object", RESTART)
        return body

    def would_be(self, path: str, obj: Object, manager: str) -> Object:
        """What an object at a path would be after a server-side apply of ``manager``; nothing is stored (``dryRun``, KEP-576)."""
        params = {"dryRun": "All", "fieldManager": manager, "force": "true", "fieldValidation": "Ignore"}
        # JSON is YAML.
        headers = {"Content-Type": "application/apply-patch+yaml", "Accept": "application/json"}
        with self._failures(path):
            response = self._http.patch(path, params=params, headers=headers, content=json.dumps(obj).encode())
        if response.status_code not in (200, 201):
            raise self._refused(path, response)
        body: Object = response.json()
        return body

    def read(self, resource: str, name: str, namespace: str = "") -> Object | None:
        """One object by name, or None."""
        return self.get(resource_path(resource, namespace, name))

    def list(self, resource: str, namespace: str = "", labels: str = "", fields: str = "") -> list[Object]:
        """All objects of a resource, of one namespace or of all; label and field selectors narrow it.

        Answered from the API server's watch cache (resourceVersion 0), which costs it nearly nothing.
        """
        params = {"resourceVersion": "0"}
        if labels:
            params["labelSelector"] = labels
        if fields:
            params["fieldSelector"] = fields
        body = self.get(resource_path(resource, namespace), params)
        items = (body or {}).get("items") or []
        return [item for item in items if isinstance(item, dict)]

    def text(self, path: str, params: dict[str, str] | None = None) -> str:
        """The plain body at a path, such as ``/readyz`` or ``/version``."""
        with self._failures(path):
            response = self._http.get(path, params=params, headers={"Accept": "*/*"})
        if response.status_code != 200:
            raise self._refused(path, response)
        return response.text

    def logs(
        self,
        namespace: str,
        pod: str,
        container: str = "",
        *,
        tail: int | None = None,
        previous: bool = False,
        follow: bool = False,
        timestamps: bool = False,
    ) -> Iterator[str]:
        """The lines of a container's log; with ``follow`` until the container ends or the caller stops.

        ``tail`` is the number of last lines to begin with; ``previous`` reads the instance before the last restart.
        """
        path = f"{resource_path('pods', namespace, pod)}/log"
        params = {"container": container} if container else {}
        params |= {key: "true" for key, on in (("previous", previous), ("follow", follow), ("timestamps", timestamps)) if on}
        if tail is not None:
            params["tailLines"] = str(tail)
        # Following a silent container must not end in a read timeout.
        timeout = httpx.Timeout(3.0, read=None) if follow else httpx.Timeout(10.0)
        with self._failures(path), self._http.stream("GET", path, params=params, timeout=timeout) as response:
            if response.status_code != 200:
                response.read()
                raise self._refused(path, response)
            yield from response.iter_lines()
