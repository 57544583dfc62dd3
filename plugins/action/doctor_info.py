# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of gpuaas.parity.doctor_info."""

from __future__ import annotations

import datetime
from typing import Any

from ansible.utils.display import Display
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.folders import mode_names, platform_folders
from ansible_collections.gpuaas.parity.plugins.module_utils._doctor.examine import examine
from ansible_collections.gpuaas.parity.plugins.module_utils._doctor.model import Place
from ansible_collections.gpuaas.parity.plugins.module_utils._doctor.screen import advised, screen
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._host.system import System
from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import own_path
from ansible_collections.gpuaas.parity.plugins.modules.doctor_info import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction


class ActionModule(ParityAction):
    """Say what would stop which mode; change nothing."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        place = Place(
            root=own_path(params["root"]),
            platform=own_path(params["platform"]),
            state_root=own_path(params["state_root"]),
            lane=params["lane"],
            cluster=params["cluster"],
            compose_dir=own_path(params["compose_dir"]),
            instance=params["instance"],
            disk_build_gib=params["disk_build_gib"],
            disk_run_gib=params["disk_run_gib"],
            memory_gib=params["memory_gib"],
        )
        wanted = params["mode"]
        modes = [wanted] if wanted else params["modes"] or mode_names(platform_folders(place.platform))
        conditions = examine(place, modes, System(), datetime.datetime.now(datetime.UTC))
        data = {
            condition.mode: {**condition.as_dict(), "findings": [each.as_dict() for each in advised(condition)]} for condition in conditions
        }
        lines = screen(conditions, Display().columns)
        self._found = {
            "changed": False,
            "ready": {condition.mode: condition.ready for condition in conditions},
            "modes": data,
            "text": "\n".join(lines),
            "_parity_answer": {"lines": lines, "document": data},
        }
        if wanted and not conditions[0].ready:
            first = advised(conditions[0])[0]
            raise ParityError(first.reason, f"{wanted} would be stopped by what is named above", first.do)
        return {}
