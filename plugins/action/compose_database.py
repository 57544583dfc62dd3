# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of gpuaas.parity.compose_database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._compose.ours import require_ours, things
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import Project
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.reset import Reset
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker
from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import own_path
from ansible_collections.gpuaas.parity.plugins.modules.compose_database import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction


class ActionModule(ParityAction):
    """Restore the seeded data, or make them again."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        docker, name, state_dir = Docker(), params["project"], own_path(params["state_dir"])
        found = things(docker, name)
        require_ours(found, name, state_dir)
        if not found:
            raise ParityError("PROJECT_ABSENT", f"there is nothing of the Compose project {name}")
        reset = Reset.of_run(docker, Project(docker, name), state_dir, Path(params["checkout"]))
        if self.check_mode:
            versions = reset.restorable() if params["state"] == "restored" else reset.versions()
        else:
            versions = reset.restore() if params["state"] == "restored" else reset.reseed()
        return {"changed": True, "schemas": {component: schemas.snapshot for component, schemas in versions.items()}}
