# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the status that a Compose project has in place of a cluster: its containers and their host ports."""

from __future__ import annotations

import datetime

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.project.health import waits_for, why
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import (
    Object,
    Project,
    is_done,
    is_healthy,
    is_once,
    is_running,
    ports,
    state_of,
)
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._status.ages import age


def project_row(project: Project, now: datetime.datetime) -> Object:
    """The project: its name, containers that run and that should, its age in seconds, and which jobs failed.

    Raises ParityError ``PROJECT_ABSENT`` when it has no container and what Docker's absence raises.
    """
    found = project.containers()
    if not found:
        raise ParityError("PROJECT_ABSENT", f"the project {project.name} has no container")
    lasting = [item for item in found if not is_once(item)]
    running = [item for item in lasting if is_running(item)]
    started = [age(state_of(item).get("StartedAt"), now) for item in running]
    blocker = waits_for(project)
    return {
        "name": project.name,
        "running": len(running),
        "containers": len(lasting),
        "age_seconds": max(started, default=0),
        "ready": bool(lasting) and len(running) == len(lasting) and not blocker,
        "blocker": blocker,
    }


def component(project: Project, name: str, now: datetime.datetime) -> Object:
    """A component's row: containers healthy or done, and there, age of the oldest, restarts, what blocks it, host ports.

    It is ``starting`` while a container of it may still become ready by itself.
    """
    found = project.of(name)
    healthy = [item for item in found if (is_done(item) if is_once(item) else is_healthy(item))]
    row: Object = {
        "name": name,
        "ready": len(healthy),
        "wanted": max(1, len(found)),
        "age_seconds": max((age(state_of(item).get("StartedAt"), now) for item in found if is_running(item)), default=0),
        "restarts": sum(int(item.get("RestartCount") or 0) for item in found),
        "reason": "",
        "blocker": "",
        "starting": False,
        "ports": [f"{address or '*'}:{host_port}" for item in found for address, host_port, _port in ports(item)],
    }
    sick = next((item for item in found if item not in healthy), None)
    if not found or sick:
        seen = why(sick).seen if sick else f"no container in the project {project.name}"
        status = state_of(sick).get("Status") if sick else None
        lost = waits_for(project) if status in (None, "created") else ""
        row |= {"reason": "WORKLOAD_NOT_READY", "blocker": f"{seen}; {lost}" if lost else seen}
        row["starting"] = status in ("created", "running", "restarting")
    return row
