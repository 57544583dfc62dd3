# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes are ready, and were so a moment ago."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import KUBERNETES, Context, Observation, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.conditions import holds

# Where kubelets say that they live (KEP-589).
_LEASES = "kube-node-lease"


@dataclass(frozen=True)
class Nodes:
    """Every node is Ready, and its kubelet has renewed its lease within the time that the lease gives it.

    After a node was paused or asleep its last word still says Ready, until the node controller looks: what all pods
    report is as old as that, and soon taken back.
    """

    targets: ClassVar[frozenset[str]] = KUBERNETES

    def run(self, context: Context) -> Observation:
        leases = {one["metadata"]["name"]: one["spec"] for one in context.snapshot.all("leases") if one["metadata"]["namespace"] == _LEASES}
        nodes = sorted(context.snapshot.all("nodes"), key=lambda node: str(node["metadata"]["name"]))
        late = [text for node in nodes if (text := _late(node, leases.get(node["metadata"]["name"])))]
        if late or not nodes:
            return failed("NOT_READY", "\n".join(late) or "there is no node")
        return passed(f"{', '.join(node['metadata']['name'] for node in nodes)}: Ready")


def _late(node: dict[str, Any], lease: dict[str, Any] | None) -> str:
    """Why a node cannot be said to be ready; empty when it can."""
    name = node["metadata"]["name"]
    if not holds(node, "Ready"):
        return f"node {name} is not Ready"
    if lease is None:
        return f"node {name} has no lease"
    age = (datetime.now(UTC) - datetime.fromisoformat(lease["renewTime"])).total_seconds()
    return f"node {name} was heard of {age:.0f} s ago" if age > lease["leaseDurationSeconds"] else ""
