# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is there besides the rendering: named where it matters, and never what Kubernetes makes."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._apply.identity import Identity
from ansible_collections.gpuaas.parity.plugins.module_utils._drift.strangers import Surroundings
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.discovery import Resource
from ansible_collections.gpuaas.parity.tests.unit.apply.api import APPLIED, BY_HAND
from ansible_collections.gpuaas.parity.tests.unit.apply.api import OURS as LABEL

RENDERED = {
    Identity("", "Namespace", "", "app"),
    Identity("", "ConfigMap", "app", "api-config-1"),
    Identity("networking.k8s.io", "IngressClass", "", "gpuaas"),
    Identity("networking.k8s.io", "Ingress", "app", "api"),
}
AROUND = Surroundings(frozenset(RENDERED), frozenset({"api.gpuaas.localhost"}))


def inhabitants(kind: str, group: str = "", **meta: Any) -> list[str]:
    found = AROUND.inhabitants(Resource(group, "v1", kind, "", True), [{"namespace": "app", "name": "x", **meta}])
    return [f"{one.identity}: {one.why}" for one in found]


def test_an_object_in_a_namespace_of_ours() -> None:
    assert inhabitants("Pod") == ["Pod app/x: not part of the platform"]
    (one,) = AROUND.inhabitants(Resource("apps", "v1", "Deployment", "", True), [{"namespace": "app", "name": "x"}])
    assert one.removal == "delete deployment.apps x --namespace=app"


def test_what_was_ours_goes_with_the_next_run() -> None:
    (one,) = AROUND.inhabitants(
        Resource("", "v1", "ConfigMap", "", True), [{"namespace": "app", "name": "x", "labels": LABEL, "managedFields": APPLIED}]
    )
    assert one.left_over


@pytest.mark.parametrize(
    ("kind", "group", "meta"),
    [
        ("ConfigMap", "", {"name": "api-config-1"}),
        ("ConfigMap", "", {"name": "kube-root-ca.crt"}),
        ("ServiceAccount", "", {"name": "default"}),
        ("Pod", "", {"namespace": "research"}),
        ("Pod", "", {"ownerReferences": [{"kind": "ReplicaSet"}]}),
        ("Pod", "", {"deletionTimestamp": "2026-11-24T10:00:00Z"}),
        ("Endpoints", "", {}),
        ("Lease", "coordination.k8s.io", {}),
        ("Event", "events.k8s.io", {}),
        # Data of a component that is gone, which is named when it is pruned.
        ("PersistentVolumeClaim", "", {"labels": LABEL, "managedFields": BY_HAND}),
        # It stays with the data that it holds.
        ("Namespace", "", {"namespace": "", "labels": LABEL, "managedFields": APPLIED}),
    ],
)
def test_what_belongs_there(kind: str, group: str, meta: dict[str, Any]) -> None:
    assert inhabitants(kind, group, **meta) == []


def ingress(host: str | None, class_name: str | None = "gpuaas", name: str = "x", **spec: Any) -> dict[str, Any]:
    rules = {"rules": [{"host": host} if host else {}]} if host is not None else {}
    given = {"ingressClassName": class_name, **rules, **spec}
    meta = {"namespace": "app" if name == "api" else "research", "name": name}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": meta, "spec": given}


@pytest.mark.parametrize(
    ("one", "taken"),
    [
        (ingress("api.gpuaas.localhost"), "api.gpuaas.localhost"),
        (ingress("api.gpuaas.localhost", None), "api.gpuaas.localhost"),
        (ingress("*.gpuaas.localhost"), "*.gpuaas.localhost"),
        (ingress(""), "*"),
        (ingress(None, defaultBackend={"service": {"name": "x"}}), "*"),
        (ingress("other.gpuaas.localhost"), ""),
        (ingress("*.localhost"), ""),
        (ingress("api.gpuaas.localhost", "nginx"), ""),
        (ingress("api.gpuaas.localhost", name="api"), ""),
    ],
    ids=["same host", "no class", "wildcard", "no host", "default", "another host", "another wildcard", "another class", "our own"],
)
def test_an_ingress_that_takes_our_requests(one: dict[str, Any], taken: str) -> None:
    assert [found.why for found in AROUND.shadows([one])] == ([f"claims {taken}"] if taken else [])


def binding(**subject: str) -> dict[str, Any]:
    rbac = "rbac.authorization.k8s.io"
    role = {"apiVersion": f"{rbac}/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "more"}, "roleRef": {"name": "cluster-admin"}}
    return {**role, "subjects": [subject]}


def test_a_binding_that_gives_our_accounts_rights() -> None:
    account = binding(kind="ServiceAccount", namespace="app", name="api")
    assert [one.why for one in AROUND.bindings([account])] == ["gives app/api the rights of cluster-admin"]
    group = binding(kind="Group", name="system:serviceaccounts:app")
    assert [one.why for one in AROUND.bindings([group])] == ["gives system:serviceaccounts:app the rights of cluster-admin"]
    others = [binding(kind="ServiceAccount", namespace="kube-system", name="x"), binding(kind="User", name="alice")]
    assert list(AROUND.bindings(others)) == []
