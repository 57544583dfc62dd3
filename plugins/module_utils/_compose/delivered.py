# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was handed to containers and has been changed there since: Compose compares definitions, not the files in volumes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._compose.handed import Handed, handed
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import Project, is_running
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.compose_deliverer import DELIVERER
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker

_PATIENCE = 30.0


def changed_since(docker: Docker, project: Project, services: Mapping[str, Any], rendered: Path, state_dir: Path) -> list[str]:
    """Those of ``services``, as compose.yml has them, that have a file in a volume which is not what was handed out, by name.

    With them the service that hands out, which alone can do so again; empty when nothing differs, and while that
    service does not run: then it hands out when it starts.

    Raises ParityError STATE_UNWRITABLE for a file that cannot be read here.
    """
    deliverer = next((item for item in project.of(DELIVERER) if is_running(item)), None)
    if deliverer is None:
        return []
    volumes = _differing(handed(rendered, state_dir), _found(docker, str(deliverer["Id"])))
    return sorted(name for name, service in services.items() if volumes & _volumes(service)) if volumes else []


def _found(docker: Docker, deliverer: str) -> dict[str, str]:
    """SHA-256 in hex by path of every file in the volumes. What cannot be read differs."""
    # As root: the files belong to the users of the containers that they are for.
    command = ["exec", "--user=0", deliverer, "sh", "-c", "sha256sum -- /to/*/*"]
    done = docker.call(*command, timeout=_PATIENCE, check=False)
    return {path: digest for digest, _separator, path in (line.partition("  ") for line in done.stdout.splitlines())}


def _differing(wanted: list[Handed], found: Mapping[str, str]) -> set[str]:
    """The volumes with a file that is missing, another, or one too many."""
    ours = {item.to: item for item in wanted}
    wrong = {item.volume for item in wanted if found.get(item.to) != item.digest}
    return wrong | {path.split("/")[2] for path in found if path not in ours}


def _volumes(service: Mapping[str, Any]) -> set[str]:
    return {str(mount["source"]) for mount in service.get("volumes", ()) if mount["type"] == "volume"}
