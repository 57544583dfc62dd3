# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of gpuaas.parity.component_logs."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.component_logs import (
    choose,
    command,
    label,
    show_logs,
)
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.reader import KubeReader
from ansible_collections.gpuaas.parity.plugins.modules.component_logs import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction

# In turn, so that neighbours can be told apart; no red, which means failure elsewhere.
_COLOURS = ("cyan", "green", "yellow", "blue", "magenta", "white")


class ActionModule(ParityAction):
    """Show logs on the user's terminal."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        components = choose(params["contract"], params["component"])
        kubeconfig = Path(params["kubeconfig"]).absolute()
        # Says at once, and once, that there is no cluster or that its API does not answer.
        with KubeReader.from_file(kubeconfig) as reader:
            reader.text("/readyz")
        kubectl = Path(params["kubectl"] or Path(sys.executable).parent / "kubectl")
        width = max(len(component.name) for component in components)
        colours = {component.name: _COLOURS[n % len(_COLOURS)] for n, component in enumerate(components)}
        lines = show_logs(
            components,
            partial(command, kubectl, kubeconfig, follow=params["follow"], tail=params["tail"]),
            lambda component, text: self.show(label(component, width, text), color=colours[component]),
        )
        return {"changed": False, "lines": lines}
