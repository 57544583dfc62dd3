# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of gpuaas.parity.shared_check."""

from __future__ import annotations

import datetime
import time
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.catalog import collect
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.heartbeat import verdict_of
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.state import read_contract
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.verdict import summary, verdict
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import load_platform
from ansible_collections.gpuaas.parity.plugins.module_utils._reports.write import write_report
from ansible_collections.gpuaas.parity.plugins.module_utils._shared.look import Shared, look
from ansible_collections.gpuaas.parity.plugins.modules.shared_check import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction


class ActionModule(ParityAction):
    """Look at a shared mode; change nothing but reports on this machine."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        state_dir = Path(params["state_dir"])
        contract = params["contract"] or read_contract(state_dir)
        started, before = datetime.datetime.now(datetime.UTC), time.monotonic()
        checks = collect(load_platform(Path(params["platform"])), contract)
        results = look(Shared(contract, params["address"] or "", params["ca_file"] or ""), checks, state_dir)
        for result in results:
            result.do = self.advise(result.do)
            self.emit(verdict_of(result))
        self._found = {
            "changed": False,
            "checks": [result.as_dict() for result in results],
            "failed_checks": [result.check.id for result in results if not result.ok],
            "elapsed": round(time.monotonic() - before, 3),
            "reports": [],
        }
        if not self.check_mode:
            facts = {"phase": "validate", "mode": contract.get("mode"), "lane": contract.get("lane"), "address": params["address"]}
            paths = write_report(state_dir / "reports", "validate", self._found["checks"], facts, started)
            self._found["reports"] = [str(path) for path in paths]
        failure = verdict(results, "validate")
        document = {"checks": len(results), "failed_checks": self._found["failed_checks"], "reports": self._found["reports"]}
        lines = [] if failure else [*summary(results), *(f"  report {path}" for path in self._found["reports"])]
        self._found["_parity_answer"] = {"lines": lines, "document": document}
        if failure:
            raise failure
        return {}
