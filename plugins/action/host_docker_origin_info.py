# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of gpuaas.parity.host_docker_origin_info."""

from __future__ import annotations

from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._host.origin import choose
from ansible_collections.gpuaas.parity.plugins.module_utils._host.plan import Plan
from ansible_collections.gpuaas.parity.plugins.module_utils._host.system import System
from ansible_collections.gpuaas.parity.plugins.modules.host_docker_origin_info import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction

_ANSWERED = ("suite", "sources", "preferences", "keyring", "origin")


class ActionModule(ParityAction):
    """Say where Docker comes from; change nothing."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        asked = {name: params[name] for name in ("suite", "sources", "preferences", "origin")}
        found = choose(System(), Plan(packages=tuple(params["packages"]), **asked), params["archive"]).as_dict()
        return {"changed": False, "packages": found["packages"], **{name: found[name] for name in _ANSWERED}}
