"""Containers of a Compose project as tests need them: short to write, shaped like ``docker inspect``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Completed
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker

Object = dict[str, Any]
PROJECT = "gpuaas-local"
IMAGE = "sha256:" + "a" * 64


def container(
    service: str,
    *,
    status: str = "running",
    health: str = "healthy",
    code: int = 0,
    env: Mapping[str, str] | None = None,
    restart: str = "unless-stopped",
    ports: Sequence[tuple[str, str, str]] = (),
    address: str = "172.30.0.2",
    mounts: Mapping[str, str] | None = None,
    **state: Any,
) -> Object:
    """A container of a service; without ``health`` it has no health check, as a job."""
    bindings: Object = {}
    for port, host, host_port in ports:
        bindings.setdefault(port, []).append({"HostIp": host, "HostPort": host_port})
    found: Object = {
        "Id": f"id-of-{service}",
        "Name": f"/{PROJECT}-{service}-1",
        "Created": "2026-11-21T10:00:00Z",
        "Image": IMAGE,
        "Mounts": [{"Type": "volume", "Name": name, "Destination": place} for name, place in (mounts or {}).items()],
        "RestartCount": 0,
        "State": {"Status": status, "ExitCode": code, "StartedAt": "2026-11-21T10:00:00.5Z", **state},
        "Config": {
            "Env": [f"{name}={value}" for name, value in (env or {}).items()],
            "Labels": {"com.docker.compose.project": PROJECT, "com.docker.compose.service": service},
        },
        "HostConfig": {"NetworkMode": f"{PROJECT}_default", "RestartPolicy": {"Name": restart}, "PortBindings": bindings},
        "NetworkSettings": {
            "Ports": bindings if status == "running" else {},
            "Networks": {f"{PROJECT}_default": {"IPAddress": address if status == "running" else ""}},
        },
    }
    if health:
        found["Config"]["Healthcheck"] = {"Test": ["CMD", "true"]}
        found["State"]["Health"] = {"Status": health, "Log": [{"Output": "first"}, {"Output": " not\nyet "}]}
    return found


def job(service: str, *, status: str = "exited", code: int = 0) -> Object:
    """A container that should end, and has ended."""
    return container(service, status=status, health="", code=code, restart="no")


Answers = Callable[[Sequence[str]], Completed]


def answers(
    containers: Sequence[Object],
    images: Mapping[str, Object] | None = None,
    inside: Callable[[str, Sequence[str]], Completed] | None = None,
) -> Answers:
    """What ``docker`` says: of containers, of images by reference, and ``inside`` for an exec (container id, command)."""

    def absent(names: Sequence[str]) -> Completed:
        return Completed("[]", "".join(f"Error: No such object: {name}\n" for name in names), 1)

    def answer(argv: Sequence[str]) -> Completed:
        match list(argv)[1:]:
            case ["ps", *rest]:
                assert f"label=com.docker.compose.project={PROJECT}" in rest
                return Completed("".join(f"{item['Id']}\n" for item in containers), "", 0)
            case ["inspect", "--type", "container", *names]:
                return Completed(json.dumps([item for item in containers if item["Id"] in names]), "", 0)
            case ["inspect", "--type", "image", name]:
                known = {IMAGE: {"Id": IMAGE, "Config": {"Env": ["PATH=/bin"]}}, **(images or {})}
                return Completed(json.dumps([known[name]]), "", 0) if name in known else absent([name])
            case ["exec", ident, *command] if inside:
                return inside(ident, command)
            case ["version", *_]:
                return Completed("26.1.5\n", "", 0)
        raise AssertionError(argv)

    return answer


def docker_of(containers: Sequence[Object], images: Mapping[str, Object] | None = None) -> Docker:
    """A Docker that knows these containers."""
    answer = answers(containers, images)
    return Docker(lambda argv, **_: answer(argv))
