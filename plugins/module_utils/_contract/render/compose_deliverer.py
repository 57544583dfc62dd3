# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The container that hands every service its own files and no others: secrets, certificates, scripts.

Containers run as fixed users that cannot read the 0600 files of the host's user, so
this one copies them as root, each with its owner, into volumes in memory. A volume in
memory lives while a container holds it: this one holds them all, as nobody, without a
network. What it does is roles/compose/files/deliver.sh.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.load import read_text
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.compose_container import ALWAYS, REPOSITORY
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.compose_health import EVERY
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.compose_mounts import Delivered, Group
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.compose_services import bind

DELIVERER = "secrets"
# A few hundred kilobytes at most, seen by nothing but its own service.
MEMORY = {"type": "tmpfs", "device": "tmpfs", "o": "size=1m,mode=0755,nosuid,nodev,noexec"}
_SCRIPT = Path(__file__).resolve().parents[4] / "roles" / "compose" / "files" / "deliver.sh"
_SERVICE: dict[str, Any] = {
    "image": f"{REPOSITORY}/base",
    **ALWAYS,
    "user": "0:0",
    "network_mode": "none",
    "read_only": True,
    "cap_drop": ["ALL"],
    "cap_add": ["CHOWN", "DAC_OVERRIDE", "SETGID", "SETUID"],
    "security_opt": ["no-new-privileges:true"],
    "command": ["sh", "/from/files/deliver.sh"],
    "tmpfs": ["/run:size=64k,mode=0755"],
    "healthcheck": {"test": ["CMD", "test", "-e", "/run/delivered"], **EVERY, "start_interval": "100ms"},
    "mem_limit": "32m",
    # Nothing in it can be lost.
    "stop_signal": "SIGKILL",
    "restart": "unless-stopped",
}


@dataclass(frozen=True)
class Deliveries:
    """What is handed out: groups of files, and the owner of each volume that keeps data."""

    groups: Sequence[Group]
    owners: Mapping[str, str]

    def service(self, profiles: list[str], state: str) -> dict[str, Any]:
        """The service of compose.yml; ``state`` is the relative path to the state directory."""
        # The CA's key and the secrets of other services stay outside: only what is handed out is seen.
        paths = (file.state for group in self.groups for file in group.files if file.state)
        sources = sorted({path.rpartition("/")[0] if path.startswith("secrets/") else path for path in paths})
        written = {group.volume: f"/to/{group.volume}" for group in self.groups} | {name: f"/own/{name}" for name in self.owners}
        volumes = [
            bind("./files", "/from/files"),
            *(bind(f"{state}/{path}", f"/from/state/{path}") for path in sources),
            *({"type": "volume", "source": name, "target": path} for name, path in written.items()),
        ]
        return _SERVICE | {"profiles": profiles, "volumes": volumes}

    def files(self) -> dict[str, bytes]:
        """What it reads below ``files/`` of the rendering: its script, its lists, and the files that are no secret."""
        found = [(group, file) for group in self.groups for file in group.files]
        lines = [f"{group.owner} {file.mode} {_origin(group, file)} /to/{group.volume}/{file.name}\n" for group, file in found]
        return {
            "deliver.sh": read_text(_SCRIPT, "roles/compose/files/deliver.sh").encode(),
            "deliver.list": "".join(lines).encode(),
            "own.list": "".join(f"{owner} /own/{name}\n" for name, owner in self.owners.items()).encode(),
            **{f"{group.volume}/{file.name}": file.data for group, file in found if not file.state},
        }


def once_each(groups: Iterable[Group]) -> list[Group]:
    """Groups that several containers mount, once."""
    return list({group.volume: group for group in groups}.values())


def _origin(group: Group, file: Delivered) -> str:
    """Where the container finds a file."""
    return f"/from/state/{file.state}" if file.state else f"/from/files/{group.volume}/{file.name}"
