# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of gpuaas.parity.probe."""

from __future__ import annotations

import datetime
import time
from pathlib import Path
from typing import Any

from ansible.utils.display import Display
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.catalog import checks_files, collect, of_phase
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.heartbeat import Heartbeat, open_log
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.model import Result
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.session import Site, run_checks, summary, verdict
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.state import read_contract
from ansible_collections.gpuaas.parity.plugins.module_utils._reports.write import write_report
from ansible_collections.gpuaas.parity.plugins.modules.probe import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction


class ActionModule(ParityAction):
    """Make the checks; change nothing but logs and reports."""

    DOCUMENTATION = DOCUMENTATION

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        self._found: dict[str, Any] = {}
        # What was found is returned also when it makes the task fail.
        result = super().run(tmp, task_vars)
        return {**self._found, **result}

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        state_dir = Path(params["state_dir"])
        contract = params["contract"] or read_contract(state_dir)
        if not params["checks"] and not params["roles_dir"]:
            raise ParityError("CHECK_MISSING", "neither checks nor roles_dir is given", "give one of them")
        files = [Path(path) for path in params["checks"]] or checks_files(Path(params["roles_dir"]), contract)
        checks = of_phase(collect(contract, files, params["components"]), params["phase"])
        timeout = 0.0 if self.check_mode else params["timeout"]
        site = Site(contract, state_dir, Path(params["kubeconfig"]), f"{params['cluster']}-control-plane")

        started, before = datetime.datetime.now(datetime.UTC), time.monotonic()
        with open_log(state_dir) as log:
            heartbeat = Heartbeat(line=self.show, live=self.live, timeout=timeout, log=log, width=Display().columns)
            try:
                results = run_checks(site, checks, timeout, heartbeat)
            finally:
                heartbeat.clear()
        self._found = self._outcome(results, time.monotonic() - before, state_dir / "logs" / "probe.log")
        if params["report"] and not self.check_mode:
            facts = {"phase": params["phase"], "mode": contract.get("mode"), "lane": contract.get("lane")}
            paths = write_report(state_dir / "reports", params["report"], self._found["checks"], facts, started)
            self._found["reports"] = [str(path) for path in paths]
        failure = verdict(results, params["phase"])
        if failure and not self.check_mode:
            raise failure
        if not failure and params["phase"] == "validate":
            reports = [f"  report {path}" for path in self._found["reports"]]
            self._found["_parity_lines"] = [*summary(results), *reports]
        return {}

    def _outcome(self, results: list[Result], elapsed: float, log: Path) -> dict[str, Any]:
        return {
            "changed": False,
            "checks": [result.as_dict() for result in results],
            "failed_checks": [result.check.id for result in results if not result.ok],
            "elapsed": round(elapsed, 3),
            "reports": [],
            "log": str(log),
        }
