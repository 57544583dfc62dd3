# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a machine must have: facts in, problems out, all of them at once."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._host.engine import Engine
from ansible_collections.gpuaas.parity.plugins.module_utils._host.facts import GIB, HostFacts
from ansible_collections.gpuaas.parity.plugins.module_utils._host.ports import port_owner
from ansible_collections.gpuaas.parity.plugins.module_utils._host.system import System

# kind needs --cgroupns, and an engine that starts privileged containers where
# the bounding set lacks a capability: 20.10 does not (measured), 23 does.
MIN_DOCKER = 23
# Health checks that are asked often while a container starts (start_interval):
# Engine 25, https://docs.docker.com/reference/compose-file/services/#healthcheck, and Compose 2.20.2.
MIN_DOCKER_FOR_COMPOSE = 25
MIN_COMPOSE = (2, 20, 2)
# https://kind.sigs.k8s.io/docs/user/known-issues/#pod-errors-due-to-too-many-open-files
MIN_INOTIFY_INSTANCES = 512
MIN_INOTIFY_WATCHES = 524288
ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
# Younger than this collection no clock can be.
_EARLIEST = 1735689600.0  # 2025-01-01
_CLOCK_SLACK_SECONDS = 300.0
_DOCKERS_OWN = "install Docker, with buildx and Compose: https://docs.docker.com/engine/install/debian/   # Debian 12's own is too old"


@dataclass(frozen=True)
class Port:
    """A port that the platform will publish: free, or held by a node of our own."""

    port: int
    listen: str = "127.0.0.1"


@dataclass(frozen=True)
class Needs:
    """What this run asks of the machine. Sizes in GiB; ``cluster`` names our own cluster, or Compose project.

    ``compose`` is whether it runs in Docker Compose, which needs no node.
    """

    cluster: str
    build: bool = True
    compose: bool = False
    ports: tuple[Port, ...] = ()
    disk_build_gib: float = 12.0
    disk_run_gib: float = 4.0
    memory_gib: float = 3.0


def find_problems(system: System, facts: HostFacts, engine: Engine, needs: Needs) -> list[ParityError]:
    """Every problem, the one to be solved first in front; empty when all is well."""
    if facts.system != "Linux":
        return [ParityError("HOST_OS", f"this is {facts.system}")]
    return [
        *_machine(facts),
        *_docker(facts, engine, needs),
        *_room(facts, engine, needs),
        *_ports(system, engine, needs),
    ]


def _machine(facts: HostFacts) -> Iterator[ParityError]:
    if facts.architecture not in ARCHITECTURES:
        yield ParityError("HOST_ARCH", f"the architecture is {facts.architecture}")
    earliest = max(_EARLIEST, facts.newest_file_time - _CLOCK_SLACK_SECONDS)
    if facts.time < earliest:
        clock = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(facts.time))
        bound = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(earliest))
        yield ParityError("HOST_CLOCK", f"the clock says {clock} UTC, and it cannot be before {bound} UTC")


def _docker(facts: HostFacts, engine: Engine, needs: Needs) -> Iterator[ParityError]:
    if engine.endpoint and not engine.endpoint.startswith("unix://"):
        yield ParityError("HOST_DOCKER_REMOTE", f"the docker client talks to {engine.endpoint}")
    if engine.problem:
        yield _with_advice(engine.problem, facts)
    else:
        least = MIN_DOCKER_FOR_COMPOSE if needs.compose else MIN_DOCKER
        if engine.major < least:
            yield ParityError("HOST_DOCKER_TOO_OLD", f"the engine is {engine.version}, {least} or newer is needed")
        ours = ARCHITECTURES.get(facts.architecture)
        if ours and ARCHITECTURES.get(engine.architecture) != ours:
            yield ParityError("HOST_ARCH", f"the engine runs on {engine.architecture}, this machine is {facts.architecture}")
        if engine.rootless and facts.cgroup_version < 2 and not needs.compose:
            yield ParityError("HOST_DOCKER_ROOTLESS", "the engine is rootless on cgroup v1; a rootless node needs v2")
    if needs.compose and _version(engine.compose) < MIN_COMPOSE:
        seen = f"the Compose plugin is {engine.compose}" if engine.compose else "docker has no Compose plugin"
        wanted = ".".join(map(str, MIN_COMPOSE))
        yield ParityError("HOST_COMPOSE_MISSING", f"{seen}, {wanted} or newer is needed", _plugin_advice(facts, "compose"))
    if needs.build:
        if not engine.buildx and (engine.problem is None or engine.problem.reason != "HOST_DOCKER_MISSING"):
            yield ParityError("HOST_BUILDX_MISSING", "docker has no buildx plugin", _plugin_advice(facts, "buildx"))
        if not facts.mmdebstrap:
            yield ParityError("HOST_MMDEBSTRAP_MISSING", "there is no mmdebstrap program")


def _version(text: str) -> tuple[int, ...]:
    """The numbers that a version begins with; a plugin that says none is taken for a new one."""
    numbers = re.match(r"v?(\d+)\.(\d+)\.(\d+)", text)
    return tuple(map(int, numbers.groups())) if numbers else (MIN_COMPOSE if text else ())


def _plugin_advice(facts: HostFacts, plugin: str) -> str:
    """The package that has the plugin, by who made the engine: its dockerd is in /usr/bin where Docker did."""
    debian, ubuntu = _debian(facts), "ubuntu" in (facts.os_id, *facts.os_like)
    if facts.dockerd.startswith("/usr/bin/"):
        return f"sudo {'apt-get' if debian else 'dnf'} install docker-{plugin}-plugin"
    if _too_old(facts):
        return _DOCKERS_OWN
    if debian:
        return f"sudo apt-get install docker-{plugin}{'-v2' if ubuntu and plugin == 'compose' else ''}"
    return f"see https://docs.docker.com/{'compose/install/linux' if plugin == 'compose' else 'engine/install'}/"


def _debian(facts: HostFacts) -> bool:
    return "debian" in (facts.os_id, *facts.os_like)


def _too_old(facts: HostFacts) -> bool:
    """Whether the machine's own suite has neither a new enough engine nor its plugins."""
    return (facts.os_id, facts.os_version) == ("debian", "12")


def _with_advice(problem: ParityError, facts: HostFacts) -> ParityError:
    """The engine's problem with the command that solves it on this very machine."""
    do = problem.do
    if problem.reason == "HOST_DOCKER_MISSING" and facts.privilege == "none" and _debian(facts):
        # Without root or such a sudo, `up` installs nothing.
        own = "docker.io docker-cli" if facts.os_id == "debian" else "docker.io"
        do = _DOCKERS_OWN if _too_old(facts) else f"sudo apt-get install {own} docker-buildx"
    if problem.reason == "HOST_DOCKER_UNREACHABLE" and facts.dockerd and not facts.init_systemd:
        sudo = "" if facts.privilege == "root" else "sudo "
        do = f"{sudo}setsid --fork {facts.dockerd} > /tmp/dockerd.log 2>&1 < /dev/null"
    return ParityError(problem.reason, problem.seen, do, problem.details)


def _room(facts: HostFacts, engine: Engine, needs: Needs) -> Iterator[ParityError]:
    running = needs.cluster in engine.running_clusters
    # Where the cluster exists, the images it was made from do.
    build = needs.build and needs.cluster not in engine.stopped_clusters
    wanted = needs.disk_build_gib if build else needs.disk_run_gib
    if facts.disk_free is None:
        yield ParityError("HOST_DISK", f"the free space of {facts.disk_path} cannot be read")
    elif not running and facts.disk_free < wanted * GIB:
        free = facts.disk_free / GIB
        yield ParityError("HOST_DISK", f"{facts.disk_path} has {free:.1f} GiB free, {wanted:g} GiB are needed")
    # A platform that runs already has its memory.
    if facts.memory_available is None:
        yield ParityError("HOST_MEMORY", "the available memory cannot be read from /proc/meminfo")
    elif not running and facts.memory_available < needs.memory_gib * GIB:
        available = facts.memory_available / GIB
        yield ParityError("HOST_MEMORY", f"{available:.1f} GiB are available, {needs.memory_gib:g} GiB are needed")
    low = []
    if facts.inotify_instances is None or facts.inotify_instances < MIN_INOTIFY_INSTANCES:
        low.append(f"max_user_instances is {facts.inotify_instances}, {MIN_INOTIFY_INSTANCES} is needed")
    if facts.inotify_watches is None or facts.inotify_watches < MIN_INOTIFY_WATCHES:
        low.append(f"max_user_watches is {facts.inotify_watches}, {MIN_INOTIFY_WATCHES} is needed")
    # They are for what runs in a node.
    if low and not needs.compose:
        yield ParityError("HOST_INOTIFY", "; ".join(low))


def _ports(system: System, engine: Engine, needs: Needs) -> Iterator[ParityError]:
    for wanted in needs.ports:
        owner = port_owner(system, engine, wanted.port, wanted.listen, needs.cluster)
        if owner:
            seen = f"port {wanted.port} on {wanted.listen} is held by {owner}"
            yield ParityError("HOST_PORT_IN_USE", seen, details={"port": wanted.port, "owner": owner})
