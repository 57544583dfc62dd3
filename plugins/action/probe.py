# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of gpuaas.parity.probe."""

from __future__ import annotations

import contextlib
import datetime
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.catalog import collect, of_phase, refuse_shared
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.engine import State
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.heartbeat import Heartbeat
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import PLATFORM, Check, Result
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.probe_log import ProbeLog, open_log
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.session import Site, run_checks
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.state import read_contract
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.verdict import summary, verdict
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import load_platform
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._gates.gates import EqualMeaning, load_gates, made, none_made, pick
from ansible_collections.gpuaas.parity.plugins.module_utils._reports.write import write_report
from ansible_collections.gpuaas.parity.plugins.modules.probe import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction


class ActionModule(ParityAction):
    """Make the checks; change nothing but logs and reports."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        self._started = datetime.datetime.now(datetime.UTC)
        try:
            return self._prove(params)
        except ParityError as error:
            if not self._found:
                self._report_failure(params, error)
            raise

    def _prove(self, params: dict[str, Any]) -> dict[str, Any]:
        state_dir = Path(params["state_dir"])
        contract = params["contract"] or read_contract(state_dir)
        checks = self._checks(params, contract)
        kubeconfig = Path(params["kubeconfig"]) if params["kubeconfig"] else None
        site = Site(contract, state_dir, kubeconfig, f"{params['cluster']}-control-plane")

        before = time.monotonic()
        results = self._look(params, site, checks)
        self._found = self._outcome(results, time.monotonic() - before, state_dir / "logs" / "probe.log")
        if params["report"] and not self.check_mode:
            self._found["reports"] = self._report(params, contract, self._found["checks"])
        failure = verdict(results, params["phase"])
        if params["phase"] == "validate":
            document = {"checks": len(results), "failed_checks": self._found["failed_checks"], "reports": self._found["reports"]}
            lines = [] if failure else [*summary(results), *(f"  report {path}" for path in self._found["reports"])]
            self._found["_parity_answer"] = {"lines": lines, "document": document}
        if failure and not self.check_mode:
            raise failure
        return {}

    def _checks(self, params: dict[str, Any], contract: dict[str, Any]) -> list[Check]:
        refuse_shared(contract)
        platform = load_platform(Path(params["platform"]))
        found = collect(platform, contract, params["components"])
        if params["phase"] == "up" and not params["gate"]:
            return of_phase(found, "up")
        # Also where no gate is passed: a check that belongs to none that there is should not wait for one.
        gates = load_gates(platform)
        if not params["gate"]:
            return found
        return pick(gates, params["gate"], found, str(contract.get("mode")), EqualMeaning(platform, str(contract.get("lane"))))

    def _look(self, params: dict[str, Any], site: Site, checks: list[Check]) -> list[Result]:
        timeout = 0.0 if self.check_mode else params["timeout"]
        heartbeat = Heartbeat(self.emit, timeout)
        with open_log(site.state_dir) as file:
            log = ProbeLog(file)

            def progress(states: Sequence[State], elapsed: float) -> None:
                log(states)
                heartbeat(states, elapsed)

            try:
                results = run_checks(site, checks, timeout, progress, heals=bool(timeout) and params["phase"] == "up")
            except ParityError as error:
                if not params["gate"]:
                    raise
                results = none_made(checks, error)
        results = made(checks, results) if params["gate"] and any(result.attempts for result in results) else results
        for result in results:
            result.do = self.advise(result.do)
        heartbeat.end(results)
        return results

    def _report(self, params: dict[str, Any], contract: dict[str, Any], rows: list[dict[str, Any]]) -> list[str]:
        facts = {"phase": params["phase"], "gate": params["gate"], "mode": contract.get("mode"), "lane": contract.get("lane")}
        folder = Path(params["state_dir"]) / "reports"
        return [str(path) for path in write_report(folder, params["report"], rows, facts, self._started)]

    def _report_failure(self, params: dict[str, Any], error: ParityError) -> None:
        """The report of a run that could not begin: an older one, of a run that held, must not stay in its place."""
        if not params["report"] or self.check_mode or not Path(params["state_dir"]).is_dir():
            return
        row = {"id": params["report"], "component": PLATFORM, "ok": False, "seen": self.advise(error.seen)}
        row |= {"reason": error.reason, "do": self.advise(error.do), "seconds": 0.0, "attempts": 0}
        with contextlib.suppress(ParityError):  # what made the run fail is what must be told
            self._report(params, params["contract"], [row])

    def _outcome(self, results: list[Result], elapsed: float, log: Path) -> dict[str, Any]:
        return {
            "changed": False,
            "checks": [result.as_dict() for result in results],
            "failed_checks": [result.check.id for result in results if not result.ok],
            "elapsed": round(elapsed, 3),
            "reports": [],
            "log": str(log),
        }
