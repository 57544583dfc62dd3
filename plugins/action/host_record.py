# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of gpuaas.parity.host_record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._host import record
from ansible_collections.gpuaas.parity.plugins.module_utils._host.system import System
from ansible_collections.gpuaas.parity.plugins.module_utils._host.upgrades import Change
from ansible_collections.gpuaas.parity.plugins.modules.host_record import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction


class ActionModule(ParityAction):
    """Record what is about to be changed."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        system, path = System(), Path(params["path"])
        before = record.read(path)
        after = before.and_packages(params["packages"], [Change(**change) for change in params["changes"]])
        after = after.and_files({name: text for name, text in params["files"].items() if text})
        after = after.and_limits(system, {name: int(value) for name, value in params["limits"].items()})
        if params["engine"]:
            after = after.and_engine(system)
        if params["user"]:
            after = after.and_user(system, params["user"])
        changed = after != before
        if changed and not self.check_mode:
            record.write(path, after)
        return {"changed": changed, "record": after.as_dict()}
