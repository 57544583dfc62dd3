# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logs of the platform's components, all at once, each line under its component's name."""

from __future__ import annotations

import queue
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import clean_env, start

_TERM_GRACE_SECONDS = 3.0
# A pod may have several containers and several pods one component; kubectl refuses to follow more than 5 by default.
_STREAMS = 20


@dataclass(frozen=True)
class Component:
    """A service of the contract and the namespace it runs in."""

    name: str
    namespace: str


@dataclass(frozen=True)
class Line:
    """One line of a component's log; ``text`` is None when its log has ended, with ``rc``."""

    component: str
    text: str | None
    rc: int = 0


def choose(contract: Mapping[str, Any], component: str) -> list[Component]:
    """The components to show: all of the resolved contract when ``component`` is empty, else that one.

    Raises ``COMPONENT_UNKNOWN`` naming those that exist, and ``CONTRACT_NOT_RENDERED``
    when the contract names none.
    """
    services: Mapping[str, Any] = contract.get("services") or {}
    if not services:
        raise ParityError("CONTRACT_NOT_RENDERED", "the contract that was given names no services")
    if component and component not in services:
        known = ", ".join(sorted(services))
        raise ParityError(
            "COMPONENT_UNKNOWN",
            f"{component!r} is not a component; known are {known}",
            f"make kind-parity-logs COMPONENT={next(iter(sorted(services)))}   # or one of: {known}",
            {"component": component, "known": sorted(services)},
        )
    names = [component] if component else list(services)
    return [Component(name, str(services[name]["namespace"])) for name in names]


def command(kubectl: Path, kubeconfig: Path, component: Component, *, follow: bool, tail: int) -> list[str]:
    """The kubectl call that prints one component's log, with its jobs' (``api-migrate`` belongs to ``api``)."""
    selector = f"app.kubernetes.io/name in ({component.name}, {component.name}-migrate)"
    argv = [
        str(kubectl),
        "logs",
        f"--kubeconfig={kubeconfig}",
        f"--namespace={component.namespace}",
        f"--selector={selector}",
    ]
    argv += ["--all-containers", "--ignore-errors", f"--tail={tail}", f"--max-log-requests={_STREAMS}"]
    return [*argv, "--follow"] if follow else argv


def label(component: str, width: int, text: str) -> str:
    """A line as it is shown."""
    return f"{component:<{width}} | {text}"


def show_logs(
    components: Sequence[Component],
    argv_of: Callable[[Component], list[str]],
    show: Callable[[str, str], None],
) -> dict[str, int]:
    """Start one program for each component and give ``show`` (component, line) as they come; return lines by component.

    Returns when every program has ended; however it is left, none is left behind.
    Raises ``COMMAND_MISSING`` when kubectl cannot be started and ``KUBE_API_REFUSED``
    when every one of them failed.
    """
    lines: queue.SimpleQueue[Line] = queue.SimpleQueue()
    count = dict.fromkeys((component.name for component in components), 0)
    failed: dict[str, str] = {}
    last = dict.fromkeys(count, "")
    with _programs(components, argv_of, lines):
        open_logs = len(components)
        while open_logs:
            line = lines.get()
            if line.text is not None:
                count[line.component] += 1
                last[line.component] = line.text
                show(line.component, line.text)
                continue
            open_logs -= 1
            if line.rc:
                failed[line.component] = last[line.component]
    if failed and len(failed) == len(components):
        raise ParityError("KUBE_API_REFUSED", "; ".join(f"{name}: {said}" for name, said in failed.items()))
    return count


@contextmanager
def _programs(components: Sequence[Component], argv_of: Callable[[Component], list[str]], lines: queue.SimpleQueue[Line]) -> Iterator[None]:
    """One running program for each component, with a thread that reads it."""
    running: list[subprocess.Popen[bytes]] = []
    try:
        for component in components:
            process = start(argv_of(component), stderr=subprocess.STDOUT, env=clean_env())
            running.append(process)
            threading.Thread(target=_read, args=(component.name, process, lines), daemon=True).start()
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(_TERM_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _read(component: str, process: subprocess.Popen[bytes], lines: queue.SimpleQueue[Line]) -> None:
    with process:
        for raw in process.stdout or ():
            lines.put(Line(component, raw.decode(errors="replace").rstrip("\r\n")))
    lines.put(Line(component, None, process.returncode))
