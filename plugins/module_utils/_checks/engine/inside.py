# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of a component, run in its own container: in a pod of the cluster and in the Compose project alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.cluster.rollout import pods_of
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Context
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import is_healthy, is_running, name_of
from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.redaction import knowledge_of
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._kube.pods import is_ready
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Completed

# Seconds. Well within what a single look may take.
_LONGEST = 30.0
# What is shown of the output of a program that failed: the end of it, in characters.
_SHOWN = 200
# What kubectl adds to what the program printed.
_OF_KUBECTL = "command terminated with exit code"


def check_timeout(seconds: float) -> None:
    """Raise ValueError for a time that a program inside is not given."""
    if not 0 < seconds <= _LONGEST:
        raise ValueError(f"timeout is {seconds:g}, not above 0 and at most {_LONGEST:g} seconds")


def run_inside(context: Context, component: str, command: Sequence[str], timeout: float, container: str = "") -> tuple[str, Completed]:
    """Where ``command`` was run, and how it ended.

    In a cluster that is ``container`` of a pod of the component, in a project the service ``container``; by default the
    one that is named as the component.

    Raises ParityError ``EXEC_FAILED`` when nothing runs that it could be run in, and when it does not end in time.
    """
    name = container or component
    try:
        if context.target == "compose":
            item = _container(context, name)
            return name_of(item), context.docker.call("exec", str(item["Id"]), *command, timeout=timeout, check=False)
        pod = _pod(context, component)["metadata"]
        return f"pod {pod['name']}", context.in_pod(str(pod["namespace"]), str(pod["name"]), name, command, timeout)
    except ParityError as error:
        if error.reason != "COMMAND_TIMEOUT":
            raise
    # Its own text holds what the program printed.
    raise ParityError("EXEC_FAILED", f"{command[0]} in {name} did not end within {timeout:g} s", _logs(component)) from None


def is_up(context: Context, component: str) -> bool:
    """Whether a component has a pod, or a container, that is ready."""
    if context.target == "compose":
        return any(is_healthy(item) for item in context.project.of(component))
    return any(is_ready(pod) for pod in pods_of(context, component))


def said(context: Context, done: Completed) -> str:
    """The end of what a program printed, on one line and without any secret of the run; of errors, if there are any."""
    known = knowledge_of(context.state_dir)
    if known.unknown:
        return "(what it printed is not shown: not every secret of the run can be read, so it cannot be masked)"
    for text in (done.stderr, done.stdout):
        # Masked before it is cut: half a secret would not be known.
        lines = [line for line in known.redact(text).splitlines() if not line.startswith(_OF_KUBECTL)]
        if words := " ".join(" ".join(lines).split()):
            return words if len(words) <= _SHOWN else f"…{words[-_SHOWN:]}"
    return "(it printed nothing)"


def _container(context: Context, service: str) -> dict[str, Any]:
    running = [item for item in context.project.of(service) if is_running(item)]
    if not running:
        raise ParityError("EXEC_FAILED", f"no container of {service} runs in the project {context.project.name}", _logs(service))
    return running[-1]


def _pod(context: Context, component: str) -> dict[str, Any]:
    """The newest pod of a component that is ready, else the newest that runs."""
    pods = [pod for pod in pods_of(context, component) if (pod.get("status") or {}).get("phase") == "Running"]
    if not pods:
        raise ParityError("EXEC_FAILED", f"no pod of {component} runs", _logs(component))
    return next((pod for pod in reversed(pods) if is_ready(pod)), pods[-1])


def _logs(component: str) -> str:
    return f"{{logs}} COMPONENT={component}"
