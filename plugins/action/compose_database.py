# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of gpuaas.parity.compose_database."""

from __future__ import annotations

from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._compose.database import Database
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.ours import require_ours, things
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import Project
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker
from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import own_path
from ansible_collections.gpuaas.parity.plugins.modules.compose_database import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction


class ActionModule(ParityAction):
    """Restore the seeded database, or make it anew."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        docker, name = Docker(), params["project"]
        found = things(docker, name)
        require_ours(found, name, own_path(params["state_dir"]))
        if not found:
            raise ParityError("PROJECT_ABSENT", f"there is nothing of the Compose project {name}")
        database = Database.of_checkout(docker, Project(docker, name), params["checkout"])
        if self.check_mode:
            schemas = database.restorable() if params["state"] == "restored" else database.schemas()
        else:
            schemas = database.restore() if params["state"] == "restored" else database.reseed()
        return {"changed": True, "schema": schemas.snapshot}
