# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Give the secrets of a run their values, and check them on every run, on the controller."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.resolved import load_resolved
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.keep import Origin, keep
from ansible_collections.gpuaas.parity.plugins.modules.local_secrets import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction


class ActionModule(ParityAction):
    """gpuaas.parity.local_secrets"""

    DOCUMENTATION = DOCUMENTATION

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        kept = keep(
            load_resolved(params["contract"]),
            Path(params["state_dir"]),
            Origin(params["tier"], Path(params["seed_file"]) if params["seed_file"] else None),
            cluster_exists=params["cluster_exists"],
            dry=self.check_mode,
        )
        return {
            "changed": kept.changed,
            "generated": kept.generated,
            "removed": kept.removed,
            "file": str(kept.file),
            "files": kept.files,
        }
