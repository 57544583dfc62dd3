# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why `docker compose up` did not succeed: the container that is at fault, and what it said last."""

from __future__ import annotations

from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import Object, Project, is_done, name_of, service_of, state_of
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.reset import Reset
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import tail
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker

_LINES = 5


def explain(docker: Docker, project: Project, reset: Reset, said: str) -> ParityError:
    """The error to raise; ``said`` is what Compose printed, for a failure before any container."""
    at_fault = next((item for item in project.containers() if _failed(item)), None)
    if at_fault is None:
        return ParityError("LOCAL_DEV_UP_FAILED", tail(said, _LINES) or "docker compose gave no cause")
    service, state = service_of(at_fault), state_of(at_fault)
    if reset.fills(service):
        try:
            reset.refuse_newer()
        except ParityError as error:
            if error.reason == "LOCAL_DEV_SCHEMA_NEWER":
                return error
    logs = docker.call("logs", "--tail", str(_LINES), name_of(at_fault), check=False)
    what = "is unhealthy" if state.get("Status") == "running" else f"ended with {state.get('ExitCode')}"
    last = tail(logs.stderr + logs.stdout, _LINES) or "(it said nothing)"
    return ParityError("LOCAL_DEV_UP_FAILED", f"{service} {what}: {last}", details={"service": service, "compose": tail(said, 40)})


def _failed(container: Object) -> bool:
    state = state_of(container)
    unhealthy = (state.get("Health") or {}).get("Status") == "unhealthy"
    return unhealthy or (state.get("Status") in ("exited", "dead", "restarting") and not is_done(container))
