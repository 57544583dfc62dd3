# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of gpuaas.parity.component_command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.catalog import refuse_shared
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.commands import choose, run
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.session import Site, open_context
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.state import read_contract
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import load_platform
from ansible_collections.gpuaas.parity.plugins.modules.component_command import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction


class ActionModule(ParityAction):
    """Run a component's command on behalf of a user."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        state_dir = Path(params["state_dir"])
        contract = read_contract(state_dir)
        refuse_shared(contract)
        platform = load_platform(Path(params["platform"]))
        command = choose(platform.components, platform.contract.options, contract, params["name"], params["value"])
        found = {"changed": True, "component": command.component}
        if self.check_mode:
            return found
        kubeconfig = Path(params["kubeconfig"]) if params["kubeconfig"] else None
        with open_context(Site(contract, state_dir, kubeconfig)) as context:
            printed = run(context, command)
        document = {"component": command.component, "printed": printed}
        return {**found, "printed": printed, "_parity_answer": {"lines": printed or ["nothing"], "document": document}}
