# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs, or is left, under a local mode's name: is it ours, and can it be taken up again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import Project, is_once, is_running
from ansible_collections.gpuaas.parity.plugins.module_utils._doctor.model import COMPOSE, KIND, Condition, Place
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.cluster import Site, can_recover, look, usable_record
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.spec import STATE_LABEL, ClusterSpec
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Runner
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker


def check_cluster(place: Place, condition: Condition, runner: Runner) -> None:
    """A kind cluster of our name: the condition gets why `up` could not take it up. An interrupted one is no obstacle."""
    state_dir = place.state_dir(KIND)

    def ask() -> None:
        found = look(Site(state_dir, state_dir / "kubeconfig", runner=runner), ClusterSpec(place.cluster, ""))
        usable_record(found, state_dir)
        if can_recover(found, state_dir):
            condition.notes.append(f"the record of the cluster {place.cluster} is damaged; up writes it again from the cluster")
        if found.state == "half-made":
            condition.notes.append(f"the cluster {place.cluster} is half-made; up makes it again")
        elif found.state in ("running", "stopped"):
            condition.notes.append(f"the cluster {place.cluster} is {'up' if found.state == 'running' else 'stopped; up starts it'}")

    condition.look(ask)


def check_project(place: Place, condition: Condition, runner: Runner) -> None:
    """The Compose project of our name: the condition gets its owner when that is not this checkout."""
    name = str((condition.contract or {}).get("project") or "")
    state_dir = place.state_dir(COMPOSE)

    def ask() -> None:
        containers = Project(Docker(runner), name).containers()
        elsewhere = sorted({_state_dir(found) for found in containers} - {str(state_dir)})
        if elsewhere:
            raise _not_ours(name, elsewhere[0], state_dir)
        if containers:
            # As the status counts: a job that has ended is not missing.
            lasting = [found for found in containers if not is_once(found)]
            condition.notes.append(f"{sum(map(is_running, lasting))} of {len(lasting)} containers of the project {name} run")

    if name:
        condition.look(ask)


def _not_ours(name: str, where: str, state_dir: Path) -> ParityError:
    if not where:
        seen = f"containers of a Compose project {name} exist that say of no state directory"
        return ParityError("PROJECT_NOT_OURS", seen, f"if nobody needs them: docker compose -p {name} down --volumes")
    seen = f"the Compose project {name} belongs to {where}, this checkout's is {state_dir}"
    if Path(where).is_dir():
        return ParityError("PROJECT_NOT_OURS", seen, f"{{down}} in the checkout of {where}, then {{up}} here")
    moved = f"{seen}; that one is gone, so the checkout was moved or removed"
    do = f"docker compose -p {name} down --volumes   # its data goes; then {{up}}"
    return ParityError("PROJECT_NOT_OURS", moved, do)


def _state_dir(container: dict[str, Any]) -> str:
    return str((container["Config"].get("Labels") or {}).get(STATE_LABEL, ""))
