# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of gpuaas.parity.platform_status_info."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._status.gather import Place, blockers, gather
from ansible_collections.gpuaas.parity.plugins.module_utils._status.screen import screen
from ansible_collections.gpuaas.parity.plugins.modules.platform_status_info import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction


class ActionModule(ParityAction):
    """Show what stands; change nothing."""

    DOCUMENTATION = DOCUMENTATION
    _nothing_found: Mapping[str, Any] = {"changed": False, "ready": False}

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        try:
            kubeconfig = Path(params["kubeconfig"]) if params["kubeconfig"] else None
            status = gather(Place(params["cluster"], Path(params["state_dir"]), kubeconfig))
        except ParityError as error:
            document = {"ready": False, "reason": error.reason, "seen": self.advise(error.seen), "do": self.advise(error.do)}
            self._found["_parity_answer"] = {"lines": [], "document": document}
            raise
        lines = screen(status)
        answer = {"lines": lines, "document": status}
        self._found |= {"ready": status["ready"], "text": "\n".join(lines), "data": status, "_parity_answer": answer}
        if not status["ready"]:
            raise ParityError("NOT_READY", "; ".join(blockers(status)))
        return {}
