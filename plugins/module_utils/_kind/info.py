# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything about a cluster that can be learnt by reading."""

from __future__ import annotations

from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.cluster import Site
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.observe import Ownership, observe, ownership
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.record import CREATING, read_record
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker


def cluster_info(site: Site, name: str) -> dict[str, Any]:
    """A cluster as plain data. It never fails for the cluster's sake; only an engine that cannot be asked raises."""
    remembered = read_record(site.state_dir)
    record = remembered.record
    observed = observe(Docker(site.runner), name, name)
    owner = ownership(observed, record, site.state_dir)
    owned = owner in (Ownership.OURS, Ownership.ORPHAN)
    node = observed.nodes[0] if observed.nodes else None
    nodes, api = _api(site) if owned and observed.running else ([], "the node does not run")
    return {
        "name": name,
        "exists": bool(observed.nodes),
        "running": observed.running,
        "owned": owned,
        "half_made": owner is Ownership.ORPHAN or (owned and record is not None and record.phase == CREATING),
        "uid": record.uid if record and owned else "",
        "kubernetes_version": record.kubernetes_version if record and owned else "",
        "created": record.created if record and owned else 0.0,
        "node_image": node.image if node else "",
        "node_container": node.name if node else "",
        "status": node.status if node else "absent",
        "ports": [{"host_port": p.host_port, "node_port": p.node_port, "listen": p.listen} for p in (node.ports if node else ())],
        "kubeconfig": str(site.kubeconfig) if site.kubeconfig.exists() else "",
        "network": name if observed.networks else "",
        "api_ready": not api,
        "api_problem": api,
        "nodes": nodes,
    }


def _api(site: Site) -> tuple[list[dict[str, Any]], str]:
    """The nodes, or why the API does not tell them."""
    try:
        site.api.identity(site.kubeconfig)
        return site.api.nodes(site.kubeconfig), ""
    except ParityError as error:
        return [], error.seen
