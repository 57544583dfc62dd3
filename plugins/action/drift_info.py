# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of gpuaas.parity.drift_info."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.catalog import collect, refuse_shared
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.engine import State
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.session import Site, run_checks
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.state import read_contract
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.verdict import verdict
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import load_platform
from ansible_collections.gpuaas.parity.plugins.module_utils._drift.rows import Row, lines
from ansible_collections.gpuaas.parity.plugins.modules.drift_info import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction

_TYPES = ("drift", "realm")


class ActionModule(ParityAction):
    """Find what runs otherwise than it was rendered."""

    DOCUMENTATION = DOCUMENTATION
    _nothing_found: Mapping[str, Any] = {"changed": False}

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        state_dir = Path(params["state_dir"])
        contract = read_contract(state_dir)
        refuse_shared(contract)
        checks = [check for check in collect(load_platform(Path(params["platform"])), contract) if check.type in _TYPES]
        kubeconfig = Path(params["kubeconfig"]) if params["kubeconfig"] else None
        results = run_checks(Site(contract, state_dir, kubeconfig), checks, 0, _silent)
        rows = [Row(**row) for result in results for row in result.details.pop("rows", ())]
        told = [self.advise_all(row.as_dict()) for row in rows]
        answer = {"lines": [self.advise(line) for line in lines(rows)], "document": {"rows": told}}
        self._found |= {"rows": told, "_parity_answer": answer}
        if failure := verdict(results, "validate"):
            raise failure
        return {}


def _silent(_states: Sequence[State], _elapsed: float) -> None:
    """One look of a second or two needs no sign of life."""
