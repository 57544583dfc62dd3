# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of gpuaas.parity.kind_cluster_info."""

from __future__ import annotations

from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._kind.cluster import Site
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.info import cluster_info
from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import own_path
from ansible_collections.gpuaas.parity.plugins.modules.kind_cluster_info import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction


class ActionModule(ParityAction):
    """Read what there is of a kind cluster."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        state_dir = own_path(params["state_dir"])
        kubeconfig = own_path(params["kubeconfig"] or state_dir / "kubeconfig")
        return {"changed": False, "cluster": cluster_info(Site(state_dir, kubeconfig), params["name"])}
