# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of gpuaas.parity.diagnosis_bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.bundle import Failure, Sources, write_bundle
from ansible_collections.gpuaas.parity.plugins.modules.diagnosis_bundle import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction


class ActionModule(ParityAction):
    """Collect, redact and write a diagnosis bundle."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        if self.check_mode:
            return {"changed": True, "problem": "check mode: nothing is written"}
        bundle = write_bundle(
            Sources(
                state_dir=Path(params["state_dir"]).absolute(),
                kubeconfig=Path(params["kubeconfig"]).absolute() if params["kubeconfig"] else None,
                node=params["node"],
                each=params["each"],
                whole=params["whole"],
            ),
            Failure(verb=params["verb"], reason=params["reason"], text=params["failure"]),
        )
        if bundle.path is None:
            return {"changed": False, "problem": bundle.problem, "msg": f"no diagnosis bundle: {bundle.problem}"}
        missed = [{"what": what, "why": why} for what, why in bundle.missed]
        return {"changed": True, "path": str(bundle.path), "missed": missed, "msg": f"diagnosis bundle: {bundle.path}"}
