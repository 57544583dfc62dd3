# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Docker has of a cluster: its node containers, its network, and whose they are."""

from __future__ import annotations

import enum
import ipaddress
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._kind.record import Record
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.spec import (
    API_PORT,
    CLUSTER_LABEL,
    OWNER_LABEL,
    STATE_LABEL,
    PortMap,
)
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker


def cgroup_version(docker: Docker) -> int:
    """The cgroup version, 1 or 2, of the machine that the engine runs on, which need not be this one."""
    return int(docker.call("info", "--format", "{{.CgroupVersion}}").stdout.strip() or 1)


@dataclass(frozen=True)
class Node:
    """A node container. ``status`` is Docker's: created, running, paused, restarting, exited, dead."""

    id: str
    name: str
    status: str
    image: str
    image_id: str
    networks: tuple[str, ...]
    volumes: tuple[str, ...]
    ports: tuple[PortMap, ...]
    api_port: int


@dataclass(frozen=True)
class Network:
    """A Docker network, and the two labels that name its owner."""

    id: str
    owner: str
    state_dir: str


@dataclass(frozen=True)
class Observed:
    """All of a cluster that Docker knows."""

    nodes: tuple[Node, ...] = ()
    networks: tuple[Network, ...] = ()
    node_image_id: str = ""

    @property
    def running(self) -> bool:
        return bool(self.nodes) and all(node.status == "running" for node in self.nodes)


class Ownership(enum.Enum):
    """Whose a cluster is."""

    ABSENT = "absent"
    OURS = "ours"
    # Made from this state directory, whose record of it is gone.
    ORPHAN = "orphan"
    FOREIGN = "foreign"


def observe(docker: Docker, name: str, network: str, node_image: str = "") -> Observed:
    """Ask Docker, all questions at once; ``node_image`` is looked up to notice a newer build of it."""
    with ThreadPoolExecutor(max_workers=3) as pool:
        nodes = pool.submit(_nodes, docker, name)
        networks = pool.submit(networks_named, docker, network)
        images = pool.submit(docker.objects, "image", [node_image] if node_image else [])
        image_id = next((str(raw["Id"]) for raw in images.result()), "")
        return Observed(tuple(nodes.result()), tuple(networks.result()), image_id)


def networks_named(docker: Docker, name: str) -> list[Network]:
    """Every network of that name (Docker allows several)."""
    return [_network(raw) for raw in docker.objects("network", [name])]


def ownership(observed: Observed, record: Record | None, state_dir: Path) -> Ownership:
    """Decide whose the node containers are.

    Ours: every one is recorded by id, or is attached to the network that carries
    our token. Kind lets nobody label its containers, and a network cannot be
    faked by accident.
    """
    if not observed.nodes:
        return Ownership.ABSENT
    ours = {net.id for net in observed.networks if record and net.owner == record.owner}
    if record and all(node.id in record.containers or ours.intersection(node.networks) for node in observed.nodes):
        return Ownership.OURS
    here = {net.id for net in observed.networks if net.state_dir == str(state_dir)}
    if all(here.intersection(node.networks) for node in observed.nodes):
        return Ownership.ORPHAN
    return Ownership.FOREIGN


def our_networks(observed: Observed, record: Record | None, state_dir: Path) -> list[str]:
    """Ids of the networks that we made and may remove."""
    return [net.id for net in observed.networks if net.state_dir == str(state_dir) or (record and net.owner == record.owner)]


def _nodes(docker: Docker, name: str) -> list[Node]:
    ids = docker.lines("ps", "--all", "--quiet", "--no-trunc", "--filter", f"label={CLUSTER_LABEL}={name}")
    return [_node(raw) for raw in docker.objects("container", ids)]


def _node(raw: dict[str, Any]) -> Node:
    bindings = _bindings(raw["HostConfig"].get("PortBindings") or {})
    api = next((port.host_port for port in bindings if port.node_port == API_PORT), 0)
    networks = (raw["NetworkSettings"].get("Networks") or {}).values()
    return Node(
        id=raw["Id"],
        name=raw["Name"].lstrip("/"),
        status=raw["State"]["Status"],
        image=raw["Config"]["Image"],
        image_id=raw["Image"],
        networks=tuple(net["NetworkID"] for net in networks if net.get("NetworkID")),
        volumes=tuple(mount["Name"] for mount in raw.get("Mounts") or () if mount.get("Type") == "volume"),
        ports=tuple(sorted(port for port in bindings if port.node_port != API_PORT)),
        api_port=api,
    )


# What Docker means by an empty address.
_ANY = str(ipaddress.IPv4Address(0))


def _bindings(raw: dict[str, Any]) -> list[PortMap]:
    return [
        PortMap(int(binding["HostPort"] or 0), int(target.split("/")[0]), binding.get("HostIp") or _ANY)
        for target, bindings in raw.items()
        for binding in bindings or ()
    ]


def _network(raw: dict[str, Any]) -> Network:
    labels = raw.get("Labels") or {}
    return Network(raw["Id"], labels.get(OWNER_LABEL, ""), labels.get(STATE_LABEL, ""))
