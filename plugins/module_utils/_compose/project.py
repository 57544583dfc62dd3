# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The containers of a Compose project at one moment, read once and shared by all who ask."""

from __future__ import annotations

import threading
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.snapshot import Reader, Snapshot
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker

Object = dict[str, Any]
# Docker Compose puts them on everything that it makes.
PROJECT_LABEL, SERVICE_LABEL = "com.docker.compose.project", "com.docker.compose.service"


class Project:
    """Containers and their images, by labels; every list is read at most once. Thread-safe.

    ``name`` is the contract's project, empty when the mode has none: then reading is refused with ParityError
    ``PROJECT_ABSENT``. Every read raises what Docker's absence raises.
    """

    def __init__(self, docker: Docker, name: str) -> None:
        self.name = name
        self._docker = docker
        self._lock = threading.Lock()
        self._containers: list[Object] | None = None
        self._images: dict[str, Object] = {}

    def fresh(self) -> Project:
        """The same project at the next moment."""
        return Project(self._docker, self.name)

    def containers(self) -> list[Object]:
        """Every container, running or not, as ``docker inspect`` has it, oldest first."""
        if not self.name:
            raise ParityError("PROJECT_ABSENT", "the contract of this mode names no Compose project")
        with self._lock:
            if self._containers is None:
                idents = self._docker.lines("ps", "--all", "--quiet", "--no-trunc", "--filter", f"label={PROJECT_LABEL}={self.name}")
                # One may go between the two calls; what is gone is left out.
                found = self._docker.objects("container", idents)
                self._containers = sorted(found, key=lambda item: str(item.get("Created")))
            return self._containers

    def of(self, service: str) -> list[Object]:
        """The containers of one service, oldest first."""
        return [item for item in self.containers() if service_of(item) == service]

    def image(self, reference: str) -> Object | None:
        """The image of a reference or an id as ``docker image inspect`` has it, None when it is not here."""
        with self._lock:
            if reference not in self._images:
                found = self._docker.objects("image", [reference])
                self._images[reference] = found[0] if found else {}
            return self._images[reference] or None


class _NoCluster:
    """A reader for modes without a cluster: a check that reads one has failed."""

    def list(self, resource: str, namespace: str = "", labels: str = "", fields: str = "") -> list[Object]:
        del namespace, labels, fields
        raise ParityError("CLUSTER_ABSENT", f"{resource}: this mode has no cluster")

    def read(self, resource: str, name: str, namespace: str = "") -> Object | None:
        del namespace
        raise ParityError("CLUSTER_ABSENT", f"{resource}/{name}: this mode has no cluster")


def no_cluster() -> Snapshot:
    """The snapshot of a mode that has no cluster."""
    reader: Reader = _NoCluster()
    return Snapshot(reader)


def service_of(container: Object) -> str:
    """The Compose service that a container belongs to."""
    return str(((container.get("Config") or {}).get("Labels") or {}).get(SERVICE_LABEL) or "")


def name_of(container: Object) -> str:
    """A container's name as people type it."""
    return str(container.get("Name") or container.get("Id") or "?").removeprefix("/")


def is_paused(container: Object) -> bool:
    """Whether its processes are frozen: Compose can neither start nor replace it so."""
    return str(state_of(container).get("Status")) == "paused"


def is_unhealthy(container: Object) -> bool:
    """Whether its health check fails, also while it is paused: Compose starts nothing that depends on it."""
    state = state_of(container)
    return state.get("Status") in ("running", "paused") and (state.get("Health") or {}).get("Status") == "unhealthy"


def is_running(container: Object) -> bool:
    return str(state_of(container).get("Status")) == "running"


def state_of(container: Object) -> Object:
    """Docker's record of what became of it."""
    found: Object = container.get("State") or {}
    return found


def is_healthy(container: Object) -> bool:
    """Whether it runs and its health check says so; without a health check nobody knows."""
    state = state_of(container)
    return state.get("Status") == "running" and (state.get("Health") or {}).get("Status") == "healthy"


def is_done(container: Object) -> bool:
    """Whether it ended as a job should."""
    state = state_of(container)
    return state.get("Status") == "exited" and state.get("ExitCode") == 0


def is_lasting_or_done(container: Object) -> bool:
    """Whether it runs, or was meant to end and did so well."""
    return is_running(container) or (is_once(container) and is_done(container))


def is_once(container: Object) -> bool:
    """Whether it is a job: a container that is meant to end, which nothing restarts and no health check watches."""
    tested = ((container.get("Config") or {}).get("Healthcheck") or {}).get("Test")
    return restart_policy(container) in ("no", "on-failure") and not tested


def restart_policy(container: Object) -> str:
    """When the engine restarts it; ``no`` unless it was told otherwise."""
    return str(((container.get("HostConfig") or {}).get("RestartPolicy") or {}).get("Name") or "no")


def environment(thing: Object) -> dict[str, str]:
    """The environment that a container's, or an image's, configuration gives to its processes."""
    pairs = (str(entry).partition("=") for entry in (thing.get("Config") or {}).get("Env") or [])
    return {name: value for name, _separator, value in pairs}


def ports(container: Object) -> list[tuple[str, str, str]]:
    """What a container publishes, or will when it starts: (address, host port, container port), sorted."""
    network, host = container.get("NetworkSettings") or {}, container.get("HostConfig") or {}
    # Both: what is asked for also binds after the next start, and what is bound is what counts now.
    asked = {} if is_running(container) else host.get("PortBindings") or {}
    found = {
        (str(to.get("HostIp") or ""), str(to.get("HostPort") or ""), port)
        for published in (network.get("Ports") or {}, asked)
        for port, bindings in published.items()
        for to in bindings or []
    }
    return sorted(found)
