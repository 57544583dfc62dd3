# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of gpuaas.parity.host_upgrades_info."""

from __future__ import annotations

from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._host.plan import Plan
from ansible_collections.gpuaas.parity.plugins.module_utils._host.system import System
from ansible_collections.gpuaas.parity.plugins.module_utils._host.upgrades import announce, commands, is_disposable, refuse, simulate
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import Note
from ansible_collections.gpuaas.parity.plugins.modules.host_upgrades_info import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction


class ActionModule(ParityAction):
    """Simulate an installation; change nothing."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        system = System()
        wanted = Plan(
            packages=tuple(params["packages"]),
            plain_packages=tuple(params["plain_packages"]),
            suite=params["suite"],
            sources=params["sources"],
            preferences=params["preferences"],
            keyring=params["keyring"],
        )
        simulated = simulate(system, wanted)
        found = simulated.changes
        if found and not params["agreed"] and not is_disposable(system):
            raise refuse(found, wanted)
        if found:
            self.emit(Note(announce(found)))
        return {
            "changed": False,
            "changes": [change.as_dict() for change in found],
            "additions": simulated.additions,
            "commands": commands(wanted),
        }
