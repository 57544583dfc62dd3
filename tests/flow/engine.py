"""What Docker does to a container by itself: SIGKILL, a pause, none at all for a while."""

from __future__ import annotations

import threading

from ansible_collections.gpuaas.parity.tests.local_dev.running import Running, docker

from .plan import Fault


def name(project: Running, component: str) -> str:
    """A container's name, which stays when the container is made again."""
    return str(project.containers[component]["Name"]).removeprefix("/")


def last(seconds: float) -> None:
    """Let a fault last."""
    threading.Event().wait(seconds)


def kill(project: Running, fault: Fault) -> None:
    """SIGKILL; the engine starts again what crashed by itself, not what it was asked to kill."""
    away(project, fault)


def away(project: Running, fault: Fault) -> None:
    """SIGKILL, and nobody there for a while."""
    container = name(project, str(fault.to))
    docker("kill", container)
    try:
        last(fault.seconds)
    finally:
        docker("start", container)


def pause(project: Running, fault: Fault) -> None:
    """All its threads stand still, and its connections stay."""
    container = name(project, str(fault.to))
    docker("pause", container)
    try:
        last(fault.seconds)
    finally:
        docker("unpause", container)


def power(project: Running, struck: list[str]) -> None:
    """SIGKILL of everything at once, as when the machine loses its power."""
    containers = [name(project, component) for component in struck]
    try:
        docker("kill", *containers)
    finally:
        docker("start", *containers)
