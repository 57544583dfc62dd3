# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds that an API server says it has, and where it keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._kube.discovery import Resource, removable

Object = dict[str, Any]
ALL = ("create", "delete", "get", "list")


def resource(kind: str, plural: str, verbs: Sequence[str] = ALL, scope: str = "Namespaced") -> Object:
    return {"resource": plural, "responseKind": {"group": "", "version": "", "kind": kind}, "scope": scope, "verbs": [*verbs]}


class Answers:
    """Discovery answers and nothing else."""

    def get(self, path: str, params: dict[str, str] | None = None, accept: str = "application/json") -> Object | None:
        if path == "/api":
            core = [
                resource("ConfigMap", "configmaps"),
                resource("Node", "nodes", scope="Cluster"),
                resource("Binding", "bindings", ["create"]),
            ]
            return {"items": [{"metadata": {"name": ""}, "versions": [{"version": "v1", "resources": core}]}]}
        if path == "/apis":
            preferred = {"version": "v1", "resources": [resource("Job", "jobs")]}
            older = {"version": "v1beta1", "resources": [resource("Job", "jobs"), resource("CronJob", "cronjobs")]}
            stale = {"metadata": {"name": "metrics.k8s.io"}, "versions": [{"version": "v1", "freshness": "Stale"}]}
            return {"items": [{"metadata": {"name": "batch"}, "versions": [preferred, older]}, stale]}
        return None


def test_what_can_be_listed_and_deleted_is_there_once_in_the_preferred_version() -> None:
    assert removable(Answers()) == [
        Resource("", "v1", "ConfigMap", "configmaps", True),
        Resource("", "v1", "Node", "nodes", False),
        Resource("batch", "v1", "Job", "jobs", True),
        Resource("batch", "v1beta1", "CronJob", "cronjobs", True),
    ]


def test_paths_and_versions_are_those_of_the_api() -> None:
    core, grouped = Resource("", "v1", "ConfigMap", "configmaps", True), Resource("batch", "v1", "Job", "jobs", True)
    assert (core.path(), core.path("a"), core.api_version) == ("/api/v1/configmaps", "/api/v1/namespaces/a/configmaps", "v1")
    assert (grouped.path(), grouped.path("a"), grouped.api_version) == (
        "/apis/batch/v1/jobs",
        "/apis/batch/v1/namespaces/a/jobs",
        "batch/v1",
    )
