# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node of two cores has room for every rollout at once: a pod that finds none waits for those that wait for it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.resolve import of_lane, resolve
from ansible_collections.gpuaas.parity.tests.unit.contract.reference import LANES, PLATFORM
from ansible_collections.gpuaas.parity.tests.unit.contract.small_platform import REPOSITORY

NODE = 2000
# What kubeadm gives its static pods, kubernetes:cmd/kubeadm/app/phases/{controlplane/manifests,etcd/local}.go.
STATIC_PODS = {"kube-apiserver": 250, "kube-controller-manager": 200, "kube-scheduler": 100, "etcd": 100}
# What kind applies when it creates the cluster.
OF_THE_NODE = sorted((REPOSITORY / "images/node/files/kind/manifests").glob("*.yaml"))

Object = dict[str, Any]


def millicores(quantity: object) -> int:
    """A quantity of the processor (kubernetes.io/docs, Meaning of CPU), rounded up."""
    text = str(quantity)
    return int(text[:-1]) if text.endswith("m") else math.ceil(float(text) * 1000)


def of_pod(spec: Object) -> int:
    """What a pod requests: its containers together, or what one that runs before them wants alone."""

    def wants(container: Object) -> int:
        return millicores(container.get("resources", {}).get("requests", {}).get("cpu", 0))

    together = sum(wants(container) for container in spec["containers"])
    return max([together, *(wants(container) for container in spec.get("initContainers", []))])


def surge(workload: Object, replicas: int) -> int:
    """How many pods more than its replicas a rollout runs (Deployment, strategy.rollingUpdate.maxSurge)."""
    strategy = workload["spec"].get("strategy", {})
    if workload["kind"] != "Deployment" or strategy.get("type") == "Recreate":
        return 0
    most = strategy.get("rollingUpdate", {}).get("maxSurge", "25%")
    return math.ceil(replicas * int(most[:-1]) / 100) if isinstance(most, str) else int(most)


def pods(item: Object, replicas: int) -> Iterator[tuple[str, int]]:
    """The name of what makes pods, and what all of them request, those of a rollout included."""
    spec = item.get("spec", {})
    template = spec.get("jobTemplate", {}).get("spec", spec).get("template") or (item if item["kind"] == "Pod" else None)
    if template:
        about = item["metadata"]
        yield f"{item['kind']} {about.get('namespace', '')}/{about['name']}", of_pod(template["spec"]) * (replicas + surge(item, replicas))
    if item["kind"] == "ConfigMap":
        # Pods that a program makes of a template, one at a time.
        for text in item["data"].values():
            inner = yaml.safe_load(text) if "\nkind: Pod\n" in text else None
            if inner:
                yield from pods(inner, 1)


def services_of(lane: str) -> dict[str, Any]:
    found: dict[str, Any] = of_lane(resolve(PLATFORM.contract, PLATFORM.mode("kind")), PLATFORM.contract, lane)["services"]
    return found


def requests(lane: str) -> dict[str, int]:
    """Everything that asks for a share of the node's processor, in millicores."""
    services = services_of(lane)
    found = dict(STATIC_PODS)
    for name in services:
        for manifest in PLATFORM.components[name].base.manifests:
            found |= pods(manifest.data, services.get(manifest.name, {}).get("replicas", 1))
    for file in OF_THE_NODE:
        for item in yaml.safe_load_all(Path(file).read_text(encoding="utf-8")):
            found |= pods(item, item.get("spec", {}).get("replicas", 1))
    return found


@pytest.mark.parametrize("lane", LANES)
def test_every_rollout_at_once_fits_two_cores(lane: str) -> None:
    found = requests(lane)
    table = "\n".join(f"{wanted:5d}m {name}" for name, wanted in sorted(found.items(), key=lambda item: -item[1]))
    assert sum(found.values()) <= NODE, f"{sum(found.values())}m of {NODE}m:\n{table}"


@pytest.mark.parametrize("lane", LANES)
def test_every_service_is_counted(lane: str) -> None:
    counted = {name.rpartition("/")[2] for name in requests(lane)}
    assert set(services_of(lane)) <= counted
    assert OF_THE_NODE
