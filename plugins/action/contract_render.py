# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Render the contract for a mode and a lane, on the controller."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render import render
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.tree import diff_trees, read_tree, swap_tree
from ansible_collections.gpuaas.parity.plugins.modules.contract_render import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction


class ActionModule(ParityAction):
    """gpuaas.parity.contract_render"""

    DOCUMENTATION = DOCUMENTATION

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        root = Path(params["state_dir"]) / "rendered"
        rendering = render(Path(params["contract_dir"]), params["mode"], params["lane"], Path(params["roles_dir"]))
        before = read_tree(root)
        changed = before != rendering.tree
        if changed and not self.check_mode:
            swap_tree(root, rendering.tree)
        result = {
            "changed": changed,
            "contract": rendering.contract,
            "rendered": str(root),
            "files": sorted(rendering.tree),
        }
        if self.diff_mode:
            result["diff"] = {"prepared": diff_trees(before, rendering.tree)}
        return result
