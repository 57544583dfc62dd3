# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a cluster that stands differs from what is asked for. It is said, and never acted on."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from ansible_collections.gpuaas.parity.plugins.module_utils._kind.observe import Observed
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.record import Record
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.spec import ClusterSpec


@dataclass(frozen=True)
class Drift:
    """One difference, in words."""

    what: str
    wanted: str
    found: str

    def as_dict(self) -> dict[str, str]:
        """Plain data."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.what} is {self.found}, {self.wanted} is wanted: {{reset}} recreates the cluster"


def find_drift(spec: ClusterSpec, observed: Observed, record: Record | None) -> list[Drift]:
    """Every difference between ``spec`` and the nodes."""
    drift: list[Drift] = []
    for node in observed.nodes:
        if observed.node_image_id and node.image_id != observed.node_image_id:
            drift.append(
                Drift(
                    "node image",
                    f"{spec.node_image} ({observed.node_image_id[7:19]})",
                    f"{node.image} ({node.image_id[7:19]})",
                )
            )
        elif not observed.node_image_id and node.image != spec.node_image:
            drift.append(Drift("node image", spec.node_image, node.image))
    published = {port for node in observed.nodes for port in node.ports}
    if published != set(spec.ports):
        drift.append(Drift("ports", _ports(spec.ports), _ports(published)))
    if record and record.settings_sha256 and record.settings_sha256 != spec.settings_sha256():
        drift.append(Drift("configuration", spec.settings_sha256()[:12], record.settings_sha256[:12]))
    return drift


def _ports(ports: object) -> str:
    return ", ".join(str(port) for port in sorted(ports)) if isinstance(ports, (set, tuple)) and ports else "none"
