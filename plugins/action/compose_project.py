# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of gpuaas.parity.compose_project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._compose import started
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.explain import explain
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import Project
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.remove import remove
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.reset import Reset
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker
from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import own_path
from ansible_collections.gpuaas.parity.plugins.modules.compose_project import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction


class ActionModule(ParityAction):
    """Remove a Compose project, remember what was started of it, or say why it did not come up."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        docker, name = Docker(), params["project"]
        if params["state"] == "remembered":
            return {"changed": started.remember(Project(docker, name), own_path(params["state_dir"]), dry=self.check_mode)}
        if params["state"] == "explained":
            project = Project(docker, name)
            reset = Reset.of_run(docker, project, own_path(params["state_dir"]), Path(params["checkout"]))
            raise explain(docker, project, reset, params["said"])
        removed = remove(docker, name, own_path(params["state_dir"]), own_path(params["rendered_dir"]), dry=self.check_mode)
        result: dict[str, Any] = {"changed": bool(removed), "removed": removed}
        if self.diff_mode:
            result["diff"] = {
                "before_header": f"project {name}",
                "after_header": f"project {name}",
                "before": "".join(f"{thing}\n" for thing in removed),
                "after": "",
            }
        return result
