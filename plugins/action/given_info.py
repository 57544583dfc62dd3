# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of gpuaas.parity.given_info."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import own_path
from ansible_collections.gpuaas.parity.plugins.module_utils._run.given import check_given
from ansible_collections.gpuaas.parity.plugins.modules.given_info import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction


class ActionModule(ParityAction):
    """Refuse what a run could not use; change nothing."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        given = {name: str(value) for name, value in params["given"].items() if value is not None}
        check_given(Path(params["platform"]), params["mode"], params["instance"], own_path(params["state_dir"]), given)
        return {"changed": False}
