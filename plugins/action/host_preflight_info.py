# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of gpuaas.parity.host_preflight_info."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._host.checks import Needs, Port
from ansible_collections.gpuaas.parity.plugins.module_utils._host.plan import plan
from ansible_collections.gpuaas.parity.plugins.module_utils._host.preflight import all_at_once, preflight
from ansible_collections.gpuaas.parity.plugins.module_utils._host.system import System
from ansible_collections.gpuaas.parity.plugins.modules.host_preflight_info import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction


class ActionModule(ParityAction):
    """Check the machine; change nothing."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        system = System()
        needs = Needs(
            cluster=params["cluster_name"],
            build=params["build"],
            compose=params["compose"],
            ports=tuple(Port(port["host_port"], port["listen"]) for port in params["ports"]),
            disk_build_gib=params["disk_build_gib"],
            disk_run_gib=params["disk_run_gib"],
            memory_gib=params["memory_gib"],
        )
        checkout = Path(params["checkout"]) if params["checkout"] else None
        found = preflight(system, needs, checkout=checkout, wait_seconds=params["wait_seconds"])
        if found.problems and not params["report_only"]:
            raise all_at_once(found.problems, found.facts)
        return {
            "changed": False,
            "facts": found.facts.as_dict(),
            "problems": self.advise_all(found.rows()),
            "reasons": [problem.reason for problem in found.problems],
            "plan": plan(system, found.facts, found.problems).as_dict(),
        }
