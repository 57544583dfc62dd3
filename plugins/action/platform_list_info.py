# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of gpuaas.parity.platform_list_info."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._images.caches import look
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker
from ansible_collections.gpuaas.parity.plugins.module_utils._status.machine import screen, standing
from ansible_collections.gpuaas.parity.plugins.modules.platform_list_info import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction


class ActionModule(ParityAction):
    """List every platform on this machine; change nothing."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        docker = Docker()
        found = standing(docker)
        platforms = [one.as_dict() for one in found]
        lines = screen(found, params["state_dir"])
        if params["cache"]:
            held = look(docker, Path(params["cache"]).expanduser())
            lines += ["", "caches, which make clean-cache frees:", *(f"  {line}" for line in held.lines())]
        answer = {"lines": lines, "document": platforms}
        return {"changed": False, "platforms": platforms, "_parity_answer": answer}
