# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why the nodes have no room for a pod: what it asks for, what there is, and who takes most of it."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.quantities import quantity
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.snapshot import Snapshot

Object = dict[str, Any]

_NAMED = 3
_MEBI = 2**20


def wants(pod: Object, resource: str) -> Fraction:
    """What the scheduler counts for a pod: its containers together, or the one before them that wants more alone.

    That is the rule of https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers.
    """
    spec = pod.get("spec") or {}
    together = sum((_of(container, resource) for container in spec.get("containers") or []), Fraction(0))
    return max([together, *(_of(container, resource) for container in spec.get("initContainers") or [])])


def room(snapshot: Snapshot, pod: Object, resource: str) -> str:
    """In words, for a resource that the nodes have too little of; empty for one that is not counted in numbers."""
    nodes = [(node.get("status") or {}).get("allocatable") or {} for node in snapshot.all("nodes")]
    there = sum((quantity(node.get(resource)) or Fraction(0) for node in nodes), Fraction(0))
    wanted = wants(pod, resource)
    if not wanted:
        return ""
    placed = [item for item in snapshot.all("pods") if _is_placed(item)]
    taken = sorted(((wants(item, resource), _name(item)) for item in placed), reverse=True)
    most = ", ".join(f"{name} {_shown(amount, resource)}" for amount, name in taken[:_NAMED])
    used = sum((amount for amount, _who in taken), Fraction(0))
    return (
        f"it asks for {_shown(wanted, resource)} of {resource}, {_shown(used, resource)} of {_shown(there, resource)} are taken, "
        f"most of it by {most or 'nobody'}"
    )


def _of(container: Object, resource: str) -> Fraction:
    requests = (container.get("resources") or {}).get("requests") or {}
    return quantity(requests.get(resource, 0)) or Fraction(0)


def _is_placed(pod: Object) -> bool:
    """Whether a node keeps room for it: it has a node and has not ended."""
    phase = (pod.get("status") or {}).get("phase")
    return bool((pod.get("spec") or {}).get("nodeName")) and phase not in ("Succeeded", "Failed")


def _name(pod: Object) -> str:
    return f"{pod['metadata'].get('namespace', '')}/{pod['metadata']['name']}"


def _shown(amount: Fraction, resource: str) -> str:
    return f"{math.ceil(amount * 1000)}m" if resource == "cpu" else f"{math.ceil(amount / _MEBI)}Mi"
