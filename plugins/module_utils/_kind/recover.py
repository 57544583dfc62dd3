# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the record of a cluster again, from the cluster: a damaged file is no reason to throw data away.

That the cluster is ours is what its network says, whose labels name this state directory and the owner token. Who it is,
Kubernetes says, asked with a kubeconfig that kind reads from the node itself.
"""

from __future__ import annotations

from ansible_collections.gpuaas.parity.plugins.module_utils._kind.api import Identity
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.cluster import Found, Site
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.record import READY, Record, write_record
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.spec import ClusterSpec


def write_again(site: Site, spec: ClusterSpec, found: Found, identity: Identity) -> None:
    """Record the cluster that ``found`` names and that answered as ``identity``."""
    owner = next(net.owner for net in found.observed.networks if net.state_dir == str(site.state_dir) and net.owner)
    record = Record(
        spec.name,
        owner,
        READY,
        containers=tuple(node.id for node in found.observed.nodes),
        uid=identity.uid,
        ca_sha256=identity.ca_sha256,
        kubernetes_version=identity.version,
        node_image=found.observed.nodes[0].image,
        # settings_sha256 stays empty: what it was made with is not known any more, so its drift is not either.
    )
    write_record(site.state_dir, record)
