# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service of the Compose project is healthy, or has done its work, and why not."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Context, Observation, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import (
    Object,
    Project,
    is_done,
    is_healthy,
    is_once,
    name_of,
    restart_policy,
    service_of,
    state_of,
)

# A container that ended and is not restarted stays so, unless another part of the same `up` replaces it.
_ENDED_GRACE = 5.0


def why(container: Object) -> Observation:
    """What keeps a container from being healthy."""
    name, state = name_of(container), state_of(container)
    status = str(state.get("Status") or "unknown")
    if status != "running":
        seen = f"container {name} is {status}"
        if status in ("exited", "dead", "restarting"):
            seen += f" with {state.get('ExitCode')}{', out of memory' if state.get('OOMKilled') else ''}"
        if state.get("Error"):
            seen += f": {' '.join(str(state['Error']).split())[:160]}"
        ended = status in ("exited", "dead") and restart_policy(container) == "no"
        return failed("WORKLOAD_NOT_READY", seen, _ENDED_GRACE if ended else None)
    health = state.get("Health") or {}
    if not health.get("Status") or health["Status"] == "none":
        return failed("WORKLOAD_NOT_READY", f"container {name} has no health check, so nobody knows whether it is ready", 0.0)
    log = health.get("Log") or []
    said = " ".join(str(log[-1].get("Output") or "").split())[:260] if log else ""
    return failed("WORKLOAD_NOT_READY", f"container {name} is {health['Status']}{': ' + said if said else ''}")


def waits_for(project: Project) -> str:
    """The jobs that did not succeed, in words: what depends on one of them never starts."""
    lost = [item for item in project.containers() if is_once(item) and state_of(item).get("Status") == "exited" and not is_done(item)]
    return ", ".join(f"{service_of(item)} ended with {state_of(item).get('ExitCode')}" for item in lost)


@dataclass(frozen=True)
class Health:
    """Every container of ``service`` runs and is healthy; there is at least one."""

    service: str

    def run(self, context: Context) -> Observation:
        found = context.project.of(self.service)
        if not found:
            return failed("WORKLOAD_NOT_READY", f"the project {context.project.name} has no container of {self.service}")
        for container in found:
            if not is_healthy(container):
                wrong = why(container)
                lost = waits_for(context.project) if state_of(container).get("Status") == "created" else ""
                return failed(wrong.reason, f"{wrong.seen}; {lost}" if lost else wrong.seen, wrong.grace)
        return passed(f"{self.service}: {len(found)}/{len(found)} healthy")
