# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every platform on this machine, of whichever checkout, found by the labels of what Docker has of it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import PROJECT_LABEL
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.head import RECORD
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.spec import CLUSTER_LABEL, OWNER_LABEL, STATE_LABEL
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker
from ansible_collections.gpuaas.parity.plugins.module_utils._status.screen import table

Object = dict[str, Any]


@dataclass(frozen=True)
class Standing:
    """One platform: a cluster or a Compose project.

    ``mode``, ``instance`` and ``port`` are what its last run wrote down, empty and 0 where that cannot be read. ``running``
    of ``containers`` run.
    """

    name: str
    mode: str
    instance: str
    port: int
    running: int
    containers: int
    state_dir: str

    def as_dict(self) -> Object:
        """Plain data."""
        return asdict(self)


def standing(docker: Docker) -> list[Standing]:
    """What stands, sorted by name. Raises what Docker's absence raises."""
    networks = docker.objects("network", docker.lines("network", "ls", "--quiet", "--filter", f"label={STATE_LABEL}"))
    return sorted((_standing(docker, network) for network in networks), key=lambda found: found.name)


def _standing(docker: Docker, network: Object) -> Standing:
    labels = network.get("Labels") or {}
    label, name = (CLUSTER_LABEL, network["Name"]) if OWNER_LABEL in labels else (PROJECT_LABEL, labels.get(PROJECT_LABEL, ""))
    containers = docker.objects("container", docker.lines("ps", "--all", "--quiet", "--filter", f"label={label}={name}"))
    # What has ended as it should is neither up nor missing.
    lasting = [item for item in containers if (item["State"]["Status"], item["State"].get("ExitCode")) != ("exited", 0)]
    recorded = _recorded(Path(labels[STATE_LABEL]))
    return Standing(
        name=str(name),
        mode=str(recorded.get("mode", "")),
        instance=str(recorded.get("instance", "")),
        port=int(recorded.get("port", 0)),
        running=sum(item["State"]["Status"] == "running" for item in lasting),
        containers=len(lasting),
        state_dir=labels[STATE_LABEL],
    )


def _recorded(state_dir: Path) -> Object:
    try:
        found = json.loads((state_dir / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def screen(found: list[Standing], own: str = "") -> list[str]:
    """The lines of the list; ``own`` is the state directory of the run that asks."""
    if not found:
        return ["no platform stands on this machine"]
    rows = [
        (
            one.name,
            one.mode or "?",
            one.instance or "-",
            f"{one.running}/{one.containers} up" if one.running else "stopped",
            str(one.port or "?"),
            f"{one.state_dir}{'  (this one)' if one.state_dir == own else ''}",
        )
        for one in found
    ]
    return table(("NAME", "MODE", "INSTANCE", "STATE", "PORT", "STATE DIRECTORY"), rows)
