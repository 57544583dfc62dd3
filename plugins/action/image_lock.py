# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entry of the C(image_lock) module."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.modules.image_lock import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction
from ansible_collections.gpuaas.parity.plugins.plugin_utils._supply import supply_of


class ActionModule(ParityAction):
    """Load what the node lacks, write the lock of digests."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        result = supply_of(params).lock(self.emit, Path(params["state_dir"]), params["image_keys"], dry=self.check_mode)
        return {**result, "changed": bool(result["loaded"])}
