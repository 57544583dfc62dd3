# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep a Keycloak realm equal to a document, on the controller."""

from __future__ import annotations

from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.bootstrap import Request, bootstrap
from ansible_collections.gpuaas.parity.plugins.modules.keycloak_bootstrap import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction


class ActionModule(ParityAction):
    """gpuaas.parity.keycloak_bootstrap"""

    DOCUMENTATION = DOCUMENTATION

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        outcome = bootstrap(Request(**params, check=self.check_mode, emit=self.emit))
        result: dict[str, Any] = {
            "changed": bool(outcome.changes),
            "realm": outcome.realm,
            "issuer": outcome.issuer,
            "changes": [change.summary() for change in outcome.changes],
            "kept": outcome.kept,
            "requests": outcome.requests,
        }
        if self.diff_mode:
            result["diff"] = [change.diff() for change in outcome.changes]
        return result
