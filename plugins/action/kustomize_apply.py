# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of gpuaas.parity.kustomize_apply."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._apply.apply import apply_to_own_cluster
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import Note
from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import own_path
from ansible_collections.gpuaas.parity.plugins.modules.kustomize_apply import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction


class ActionModule(ParityAction):
    """Apply Kustomize bases."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        # The wheel installs kubectl beside the interpreter, at the cluster's own minor version.
        program = Path(sys.executable).parent / "kubectl"
        state_dir, kubeconfig = own_path(params["state_dir"]), own_path(params["kubeconfig"])
        bases, cache_dir = [Path(base) for base in params["bases"]], own_path(params["cache_dir"])
        done = apply_to_own_cluster(program, state_dir, kubeconfig, bases, cache_dir, dry=self.check_mode)
        if done.restarted:
            self.emit(Note(f"restarted, since it may have read what was changed by hand: {', '.join(done.restarted)}"))
        result: dict[str, Any] = {
            "changed": bool(done.created or done.configured or done.restarted),
            "created": done.created,
            "configured": done.configured,
            "restarted": done.restarted,
            "unchanged": len(done.unchanged),
        }
        if self.diff_mode:
            result["diff"] = {
                "before": "".join(f"{name}\n" for name in sorted([*done.configured, *done.unchanged])),
                "after": "".join(
                    f"{name}{' (configured)' if name in done.configured else ''}\n"
                    for name in sorted([*done.created, *done.configured, *done.unchanged])
                ),
            }
        return result
