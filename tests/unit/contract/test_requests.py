# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The smallest node has room for every rollout at once: a pod that finds none waits for those that wait for it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.quantities import quantity
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.resolve import of_lane, resolve
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.room import wants
from ansible_collections.gpuaas.parity.tests.unit.contract.reference import LANES, PLATFORM

# Two cores, and what role `host` wants to be free (host_memory_gib).
NODE = {"cpu": Fraction(2), "memory": Fraction(3 * 2**30)}
# What kubeadm gives its static pods, kubernetes:cmd/kubeadm/app/phases/{controlplane/manifests,etcd/local}.go.
STATIC_PODS = {
    "cpu": {"kube-apiserver": "250m", "kube-controller-manager": "200m", "kube-scheduler": "100m", "etcd": "100m"},
    "memory": {"etcd": "100Mi"},
}

Object = dict[str, Any]


def amount(value: object) -> Fraction:
    """A quantity of the processor in cores, one of memory in bytes."""
    found = quantity(value)
    assert found is not None, value
    return found


def surge(workload: Object, replicas: int) -> int:
    """How many pods more than its replicas a rollout runs (Deployment, strategy.rollingUpdate.maxSurge)."""
    strategy = workload["spec"].get("strategy", {})
    if workload["kind"] != "Deployment" or strategy.get("type") == "Recreate":
        return 0
    most = strategy.get("rollingUpdate", {}).get("maxSurge", "25%")
    return math.ceil(replicas * int(most[:-1]) / 100) if isinstance(most, str) else int(most)


def pods(item: Object, replicas: int, resource: str) -> Iterator[tuple[str, Fraction]]:
    """The name of what makes pods, and what all of them request, those of a rollout included."""
    spec = item.get("spec", {})
    template = spec.get("jobTemplate", {}).get("spec", spec).get("template") or (item if item["kind"] == "Pod" else None)
    if template:
        about = item["metadata"]
        yield f"{item['kind']} {about.get('namespace', '')}/{about['name']}", wants(template, resource) * (replicas + surge(item, replicas))


def services_of(lane: str) -> dict[str, Any]:
    found: dict[str, Any] = of_lane(resolve(PLATFORM.contract, PLATFORM.mode("kind")), PLATFORM.contract, lane)["services"]
    return found


def requests(lane: str, resource: str) -> dict[str, Fraction]:
    """Everything that asks for a share of the node, in cores or bytes."""
    services = services_of(lane)
    found = {name: amount(value) for name, value in STATIC_PODS[resource].items()}
    for name in services:
        for manifest in PLATFORM.components[name].base.manifests:
            found |= pods(manifest.data, services.get(manifest.name, {}).get("replicas", 1), resource)
    return found


@pytest.mark.parametrize("resource", NODE)
@pytest.mark.parametrize("lane", LANES)
def test_every_rollout_at_once_fits_the_smallest_node(lane: str, resource: str) -> None:
    found = requests(lane, resource)
    table = "\n".join(f"{float(wanted):g} {name}" for name, wanted in sorted(found.items(), key=lambda item: -item[1]))
    assert sum(found.values()) <= NODE[resource], f"{float(sum(found.values())):g} of {float(NODE[resource]):g} {resource}:\n{table}"


@pytest.mark.parametrize("lane", LANES)
def test_every_service_is_counted(lane: str) -> None:
    counted = {name.rpartition("/")[2] for name in requests(lane, "cpu")}
    assert set(services_of(lane)) <= counted
