"""Does what the plan says, to the containers of a Compose project."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Sequence

from ansible_collections.gpuaas.parity.tests.local_dev.running import Running, docker

from .plan import PAUSE, Fault


def damage(project: Running, faults: Sequence[Fault]) -> None:
    """Make each fault at its time; returns after the last one."""
    begun, nothing_to_wait_for = time.monotonic(), threading.Event()
    for fault in faults:
        nothing_to_wait_for.wait(max(0.0, begun + fault.at - time.monotonic()))
        print(f"{fault.at:5.0f} s  {fault.done} {fault.to if isinstance(fault.to, str) else json.dumps(fault.to)}", flush=True)
        if isinstance(fault.to, dict):
            _fail(project, fault.to)
        elif fault.done == "kill":
            _kill(project.containers[fault.to]["Id"])
        else:
            _pause(project.containers[fault.to]["Id"])


def _kill(container: str) -> None:
    """SIGKILL; the engine starts again what crashed by itself, not what it was asked to kill."""
    docker("kill", container)
    docker("start", container)


def _pause(container: str) -> None:
    docker("pause", container)
    try:
        threading.Event().wait(PAUSE)
    finally:
        docker("unpause", container)


def _fail(project: Running, fault: dict[str, object]) -> None:
    try:
        project.inside("gpu-fleet", "/opt/gpu-fleet/bin/gpu-fleet", "fault", "set", json.dumps(fault))
    except subprocess.CalledProcessError:
        print("         the fleet is away itself", flush=True)
