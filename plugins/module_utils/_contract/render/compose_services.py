# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fragment and what the contract says of its service -> services of compose.yml."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.compose_files import Mount
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.compose_fragments import Fragment

LOOPBACK = "127.0.0.1"
REPOSITORY = "gpuaas-parity"
# What holds for every container, as Pod Security "restricted" asks of every pod.
_HARDENED: dict[str, Any] = {
    "read_only": True,
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges:true"],
    "restart": "on-failure",
    "logging": {"driver": "json-file", "options": {"max-size": "10m", "max-file": "2"}},
}
# Asked twice a second until it is healthy, which is what others wait for, then seldom.
_HEALTH: dict[str, Any] = {"interval": "15s", "timeout": "5s", "retries": 4, "start_period": "5m", "start_interval": "500ms"}
# Before what is the service's own, in the order of the file.
_FIRST = ("image", "pull_policy", "profiles", "user", "entrypoint", "command", "env_file", "environment", "depends_on", "healthcheck")


@dataclass(frozen=True)
class Placed:
    """A service as the mode places it. ``aliases`` are further names of it in the project's network."""

    fragment: Fragment
    service: dict[str, Any]
    lanes: Sequence[str]
    mounts: Sequence[Mount]
    aliases: Sequence[str]
    checkout: str

    def containers(self) -> dict[str, dict[str, Any]]:
        """The services of compose.yml, complete but for what only a machine knows."""
        return {name: self._container(name) for name in self.fragment.containers}

    def _container(self, name: str) -> dict[str, Any]:
        is_main = name == self.fragment.service
        own = dict(self.fragment.containers[name])
        sourced = own.pop("x-source", None)
        source = self.service.get("source") if sourced else None
        if sourced and source:
            own |= {key: value for key, value in sourced.items() if key != "at"}
        built = _HARDENED | {"pull_policy": "never", "profiles": list(self.lanes)} | own
        built["image"] = f"{REPOSITORY}/{own.get('image', self.service['image'])}"
        if "healthcheck" in own:
            built["healthcheck"] = {"test": own["healthcheck"]["test"], **_HEALTH, **own["healthcheck"]}
        if self.service["settings"]:
            built["env_file"] = [f"{self.fragment.service}.env"]
        volumes = [_volume(mount.volume, mount.at, read_only=True) for mount in self.mounts]
        if is_main and self.fragment.data:
            volumes.append(_volume(data_volume(name), self.fragment.data))
        if sourced and source:
            volumes.append(bind(f"{self.checkout}/{source}", sourced["at"]))
        built["volumes"] = [*own.get("volumes", ()), *volumes]
        if is_main and "publish" in self.service:
            published = {
                "host_ip": LOOPBACK,
                "published": str(self.service["publish"]),
                "target": self.service["ports"][self.service["main_port"]],
                "protocol": "tcp",
            }
            built["ports"] = [published]
        if is_main and self.aliases:
            built["networks"] = {"default": {"aliases": list(self.aliases)}}
        ordered = {key: built[key] for key in _FIRST if key in built} | built
        return {key: value for key, value in ordered.items() if value != []}


def data_volume(service: str) -> str:
    """The volume that holds the data of a service."""
    return f"{service}-data"


def bind(path: str, target: str) -> dict[str, Any]:
    """A file or folder of the host, read-only; one that is not there is an error, not a new folder."""
    return {"type": "bind", "source": path, "target": target, "read_only": True, "bind": {"create_host_path": False}}


def _volume(name: str, target: str, *, read_only: bool = False) -> dict[str, Any]:
    return {"type": "volume", "source": name, "target": target} | ({"read_only": True} if read_only else {})
