# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Docker engine says of itself, from one ``docker info``."""

from __future__ import annotations

import json
import re
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._host.system import System
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import clean_env, tail
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import engine_problem

# Bit of CAP_SYS_RESOURCE, capability.h (capabilities(7)).
_CAP_SYS_RESOURCE = 24
_DOCKER_PORT = re.compile(r"(?P<address>\[?[0-9a-fA-F.:]+\]?):(?P<first>\d+)(?:-(?P<last>\d+))?->")


@dataclass(frozen=True)
class Published:
    """A port of this machine that the engine publishes for a container; ``cluster`` is its kind cluster or Compose project."""

    address: str
    port: int
    container: str
    cluster: str


_Containers = tuple[tuple[Published, ...], tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True)
class Engine:
    """The engine and its client. Without an answer, ``problem`` says why and the rest is empty."""

    problem: ParityError | None = None
    version: str = ""
    endpoint: str = ""
    buildx: str = ""
    compose: str = ""
    cgroup_version: int = 0
    rootless: bool = False
    architecture: str = ""
    root_dir: str = "/var/lib/docker"
    published: tuple[Published, ...] = ()
    running_clusters: tuple[str, ...] = ()
    stopped_clusters: tuple[str, ...] = ()

    @property
    def major(self) -> int:
        """The major version, 0 when unknown."""
        found = re.match(r"\d+", self.version)
        return int(found.group()) if found else 0


def read_engine(system: System, *, timeout: float = 10.0) -> Engine:
    """Ask the engine. It never raises: an engine that cannot be used is a fact as well."""
    # `docker info` asks every plugin of the client for its version; the other two need not wait for that.
    with ThreadPoolExecutor(2) as meanwhile:
        endpoint, containers = meanwhile.submit(_endpoint, system), meanwhile.submit(_containers, system)
        return _read(system, timeout, endpoint, containers)


def _read(system: System, timeout: float, endpoint: Future[str], containers: Future[_Containers]) -> Engine:
    try:
        done = system.runner(["docker", "info", "--format", "{{json .}}"], check=False, timeout=timeout, env=clean_env())
    except ParityError as error:
        reason = "HOST_DOCKER_MISSING" if error.reason == "COMMAND_MISSING" else "HOST_DOCKER_UNREACHABLE"
        return Engine(problem=ParityError(reason, error.seen))
    try:
        info: dict[str, Any] = json.loads(done.stdout or "{}")
    except ValueError:
        info = {}
    client = info.get("ClientInfo") or {}
    plugins = {str(p.get("Name")): str(p.get("Version") or "unknown") for p in client.get("Plugins") or ()}
    buildx, compose = plugins.get("buildx", ""), plugins.get("compose", "")
    if not info.get("ServerVersion"):
        said = "\n".join([*(info.get("ServerErrors") or ()), done.stderr])
        problem = engine_problem(said) or ParityError("HOST_DOCKER_UNREACHABLE", tail(said, 3) or "docker info gave no server version")
        return Engine(problem=problem, buildx=buildx, compose=compose, endpoint=endpoint.result())
    published, running, stopped = containers.result()
    return Engine(
        version=str(info["ServerVersion"]),
        endpoint=endpoint.result(),
        buildx=buildx,
        compose=compose,
        cgroup_version=int(info.get("CgroupVersion") or 1),
        rootless=any("name=rootless" in option.split(",") for option in info.get("SecurityOptions") or ()),
        architecture=str(info.get("Architecture") or ""),
        root_dir=str(info.get("DockerRootDir") or "/var/lib/docker"),
        published=published,
        running_clusters=running,
        stopped_clusters=stopped,
    )


def _endpoint(system: System) -> str:
    """Where the client finds the engine: its variables and contexts resolved by the client itself."""
    command = ["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]
    done = system.runner(command, check=False, timeout=10.0, env=clean_env())
    return done.stdout.strip() if done.rc == 0 else ""


def _containers(system: System) -> _Containers:
    """Every published port, the clusters and projects of which something runs, and those of which all is stopped."""
    owner = '{{or (.Label "io.x-k8s.kind.cluster") (.Label "com.docker.compose.project")}}'
    row = f"{{{{.Names}}}}\t{owner}\t{{{{.State}}}}\t{{{{.Ports}}}}"
    done = system.runner(["docker", "ps", "--all", "--format", row], check=False, timeout=10.0, env=clean_env())
    published: list[Published] = []
    clusters: dict[str, bool] = {}
    for line in done.stdout.splitlines():
        name, cluster, state, ports = (*line.split("\t"), "", "", "")[:4]
        if cluster:
            clusters[cluster] = clusters.get(cluster, False) or state == "running"
        for found in _DOCKER_PORT.finditer(ports):
            first, last = int(found["first"]), int(found["last"] or found["first"])
            address = found["address"].strip("[]")
            published += [Published(address, port, name, cluster) for port in range(first, last + 1)]
    running = tuple(cluster for cluster, runs in clusters.items() if runs)
    return tuple(published), running, tuple(cluster for cluster, runs in clusters.items() if not runs)


def lacks_sys_resource(system: System) -> bool:
    """Whether a privileged container of the engine will lack CAP_SYS_RESOURCE.

    A container gets at most the engine's bounding set, so dockerd's is read
    where dockerd can be seen, and our own otherwise.
    """
    status = ""
    for comm in (system.root / "proc").glob("[0-9]*/comm"):
        if system.text(f"/proc/{comm.parent.name}/comm").strip() == "dockerd":
            status = system.text(f"/proc/{comm.parent.name}/status")
            break
    status = status or system.text("/proc/self/status")
    found = re.search(r"^CapBnd:\s*([0-9a-f]+)", status, re.MULTILINE)
    return found is not None and not (int(found.group(1), 16) >> _CAP_SYS_RESOURCE) & 1


def docker_root(engine: Engine) -> Path:
    """The nearest existing directory above Docker's data, whose file system will hold it."""
    path = Path(engine.root_dir)
    while not path.exists() and path != path.parent:
        path = path.parent
    return path
