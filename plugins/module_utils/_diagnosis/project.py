# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Docker knows of a Compose project: its containers, their state and logs, its networks and volumes.

Secrets are files in the containers and never part of what is asked for here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.project.health import why
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import (
    PROJECT_LABEL,
    Object,
    Project,
    is_done,
    is_healthy,
    is_once,
    is_running,
    name_of,
    service_of,
    state_of,
)
from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.commands import COMMAND_SECONDS, command_text
from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.gather import Gathering
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Completed, Runner
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker

LOG_LINES = 2000
_LISTS = {
    "containers": ("docker", "ps", "--all", "--no-trunc"),
    "networks": ("docker", "network", "ls", "--no-trunc"),
    "volumes": ("docker", "volume", "ls"),
}


def collect_project(gathering: Gathering, run: Runner, project: Callable[[], str]) -> None:
    """Begin the collection of a project's state, under ``project/`` and ``logs/`` of the bundle.

    ``project`` gives its name; what it raises is noted like any other failure.
    """
    gathering.start("project", lambda: _collect(gathering, run, project()))


def _collect(gathering: Gathering, run: Runner, name: str) -> None:
    def brief(argv: Any, **options: Any) -> Completed:
        return run(argv, **{**options, "timeout": COMMAND_SECONDS})

    for listing, argv in _LISTS.items():
        asked = (*argv, "--filter", f"label={PROJECT_LABEL}={name}")
        gathering.text(f"project/{listing}.txt", partial(command_text, run, asked))
    containers = Project(Docker(brief), name).containers()
    if not containers:
        raise ParityError("PROJECT_ABSENT", f"the project {name} has no container")
    gathering.add("project/inspect.json", json.dumps(containers, indent=1, sort_keys=True) + "\n")
    gathering.add("SUMMARY.txt", summary(containers))
    for container in containers:
        asked = ("docker", "logs", "--timestamps", f"--tail={LOG_LINES}", str(container["Id"]))
        gathering.text(f"logs/{service_of(container)}/{name_of(container)}.log", partial(command_text, run, asked))


def summary(containers: list[Object]) -> str:
    """Every container, those that are not well first, with what blocks them."""
    unwell = [item for item in containers if not _is_well(item)]
    lines = [f"{len(containers)} containers, {len(unwell)} of them neither healthy nor done", ""]
    for container in sorted(containers, key=lambda item: (_is_well(item), name_of(item))):
        lines += _of(container)
    return "\n".join(lines) + "\n"


def _is_well(container: Object) -> bool:
    return is_done(container) if is_once(container) else is_healthy(container)


def _of(container: Object) -> Iterator[str]:
    state = state_of(container)
    words = [name_of(container), str(state.get("Status")), f"restarts {container.get('RestartCount') or 0}"]
    # Docker's zero time says that it never started.
    started = "" if str(state.get("StartedAt") or "0001").startswith("0001") else f"since {state['StartedAt']}"
    yield "  ".join([*words, *([started] if started else [])])
    if not _is_well(container):
        at_work = is_once(container) and is_running(container)
        yield f"    blocked by: {'it is a job and still at work' if at_work else why(container).seen}"
