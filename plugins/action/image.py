# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entry of the C(image) module."""

from __future__ import annotations

import os
from typing import Any

from ansible.utils.display import Display
from ansible_collections.gpuaas.parity.plugins.module_utils._images.progress import BuildProgress
from ansible_collections.gpuaas.parity.plugins.modules.image import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction
from ansible_collections.gpuaas.parity.plugins.plugin_utils._supply import supply_of


class ActionModule(ParityAction):
    """Build what the lane needs, bake it into the node image."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        display = Display()
        # The callback, which owns the terminal, says whether there is one; a worker cannot see it.
        on_terminal = os.environ.get("PARITY_TTY") == "1"
        live = (lambda text: display.display(text, newline=False, screen_only=True)) if on_terminal else None
        result = supply_of(params).ensure(BuildProgress(display.display, live, display.columns), dry=self.check_mode)
        return {**result, "changed": bool(result["built"] or result["baked"])}
