# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of gpuaas.parity.component_logs_info."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import target_of
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.state import read_contract
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import Project
from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.component_logs import (
    Source,
    choose,
    of_containers,
    of_pods,
    show_logs,
)
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.reader import KubeReader
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import Log
from ansible_collections.gpuaas.parity.plugins.modules.component_logs_info import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction


class ActionModule(ParityAction):
    """Show logs on the user's terminal."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        contract = read_contract(Path(params["state_dir"]))
        components = choose(contract, params["component"])
        if target_of(contract) == "compose":
            project = Project(Docker(), str(contract.get("project") or ""))
            sources = of_containers(project, components, follow=params["follow"], tail=params["tail"])
        else:
            sources = self._of_cluster(params, contract["services"], components)
        lines = show_logs(sources, lambda name, text: self.emit(Log(name, text)), follow=params["follow"])
        return {"changed": False, "lines": lines}

    def _of_cluster(self, params: dict[str, Any], services: dict[str, Any], components: list[str]) -> list[Source]:
        if not params["kubeconfig"]:
            raise ParityError(
                "KUBECONFIG_INVALID", "no kubeconfig is given, and the contract is for a cluster", "give the option kubeconfig"
            )
        kubeconfig = Path(params["kubeconfig"]).absolute()
        # Says at once, and once, that there is no cluster or that its API does not answer.
        with KubeReader.from_file(kubeconfig) as reader:
            reader.text("/readyz")
        kubectl = Path(params["kubectl"] or Path(sys.executable).parent / "kubectl")
        given = {"follow": params["follow"], "tail": params["tail"]}
        return [of_pods(kubectl, kubeconfig, name, str(services[name]["namespace"]), **given) for name in components]
