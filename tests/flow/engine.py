"""What Docker does to a container by itself: SIGKILL, a pause, none at all for a while."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Sequence

from ansible_collections.gpuaas.parity.tests.local_dev.running import Running, docker

from .plan import Fault


def name(project: Running, component: str) -> str:
    """A container's name, which stays when the container is made again."""
    return str(project.containers[component]["Name"]).removeprefix("/")


def last(seconds: float) -> None:
    """Let a fault last."""
    threading.Event().wait(seconds)


def kill(project: Running, fault: Fault) -> None:
    """SIGKILL, and nobody there for a while where the fault lasts.

    The engine starts again what crashed by itself, not what it was asked to kill.
    """
    _kill([name(project, str(fault.to))], fault.seconds)


def power(project: Running, components: Sequence[str]) -> None:
    """SIGKILL of everything at once, as when the machine loses its power."""
    _kill([name(project, component) for component in components], 0.0)


def pause(project: Running, fault: Fault) -> None:
    """All its threads stand still, and its connections stay."""
    container = name(project, str(fault.to))
    try:
        docker("pause", container)
    except subprocess.CalledProcessError as error:
        # On a machine that is too busy a container cannot always be frozen; it then goes on.
        print(f"         not paused: {error.stderr.strip()}", flush=True)
        return
    try:
        last(fault.seconds)
    finally:
        docker("unpause", container)


def _kill(containers: list[str], seconds: float) -> None:
    try:
        docker("kill", *containers)
    except subprocess.CalledProcessError as error:
        # It died by itself, of what was done before.
        if "is not running" not in error.stderr:
            raise
    try:
        last(seconds)
    finally:
        docker("start", *containers)
