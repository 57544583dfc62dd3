# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entry of the C(image) module."""

from __future__ import annotations

from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import own_path
from ansible_collections.gpuaas.parity.plugins.modules.image import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction
from ansible_collections.gpuaas.parity.plugins.plugin_utils._supply import supply_of


class ActionModule(ParityAction):
    """Build what the lane needs, bake it into the node image."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        result = supply_of(params).ensure(self.emit, own_path(params["state_dir"]), dry=self.check_mode)
        return {**result, "changed": bool(result["built"] or result["baked"])}
