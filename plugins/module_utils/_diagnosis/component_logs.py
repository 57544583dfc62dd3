# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logs of the platform's components, all at once, each line under its component's name."""

from __future__ import annotations

import math
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import Project, service_of
from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.in_order import InOrder, split
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import clean_env, start

_TERM_GRACE_SECONDS = 3.0
# Of logs that are followed: how long a line may be overtaken by an older one, how long one that says nothing is waited for
# at first, and how often is looked.
_HELD_SECONDS, _BEGIN_SECONDS, _TICK_SECONDS = 1.0, 3.0, 0.2
# A pod may have several containers and several pods one component; kubectl refuses to follow more than 5 by default.
_STREAMS = 20


@dataclass(frozen=True)
class Source:
    """A program that prints a log, and the component under whose name its lines are shown."""

    component: str
    argv: tuple[str, ...]


@dataclass(frozen=True)
class Line:
    """One line of a component's log; ``text`` is None when its log has ended, with ``rc``. ``source`` is the program's number."""

    source: int
    component: str
    text: str | None
    rc: int = 0


def choose(contract: Mapping[str, Any], component: str) -> list[str]:
    """The components to show: all of the resolved contract when ``component`` is empty, else that one.

    Those that the mode's surroundings provide are left out. Raises ``COMPONENT_UNKNOWN`` naming those that exist,
    and ``CONTRACT_NOT_RENDERED`` when the contract names none.
    """
    services: Mapping[str, Any] = contract.get("services") or {}
    ours = [name for name, service in services.items() if not service.get("provided_by")]
    if not ours:
        raise ParityError("CONTRACT_NOT_RENDERED", "the contract that was given names no services")
    if component and component not in ours:
        known = ", ".join(sorted(ours))
        raise ParityError(
            "COMPONENT_UNKNOWN",
            f"{component!r} is not a component; known are {known}",
            f"{{logs}} COMPONENT={next(iter(sorted(ours)))}   # or one of: {known}",
            {"component": component, "known": sorted(ours)},
        )
    return [component] if component else ours


def of_pods(kubectl: Path, kubeconfig: Path, component: str, namespace: str, *, follow: bool, tail: int) -> Source:
    """The kubectl call that prints one component's log, with its jobs' (``api-migrate`` belongs to ``api``)."""
    argv = [
        str(kubectl),
        "logs",
        f"--kubeconfig={kubeconfig}",
        f"--namespace={namespace}",
        f"--selector=app.kubernetes.io/name in ({component}, {component}-migrate)",
    ]
    argv += ["--timestamps", "--all-containers", "--ignore-errors", f"--tail={tail}", f"--max-log-requests={_STREAMS}"]
    return Source(component, (*argv, "--follow") if follow else tuple(argv))


def of_containers(project: Project, components: Sequence[str], *, follow: bool, tail: int) -> list[Source]:
    """The docker calls that print the components' logs, one for each container, oldest first.

    A job of a component (``api-migrate``) is shown under the component's name, and a helper of the project
    (``secrets``) under its own where all components are asked for. Raises ``PROJECT_ABSENT`` when none of them has
    a container.
    """
    every = len(components) > 1
    found = []
    for container in project.containers():
        service = service_of(container)
        owner = next((name for name in components if service == name or service.startswith(f"{name}-")), service if every else "")
        if owner:
            options = [f"--tail={'all' if tail < 0 else tail}", *(["--follow"] if follow else [])]
            found.append(Source(owner, ("docker", "logs", "--timestamps", *options, str(container["Id"]))))
    if not found:
        raise ParityError("PROJECT_ABSENT", f"the project {project.name} has no container of {', '.join(components)}")
    return found


def show_logs(sources: Sequence[Source], show: Callable[[str, str], None], *, follow: bool = False) -> dict[str, int]:
    """Start every program and give ``show`` (component, line) in the order of time; return lines by component.

    To ``follow`` them means not to wait for all: a line is held back for a second, the first ones until every program has
    begun to talk. Returns when every program has ended; however it is left, none is left behind.
    Raises ``COMMAND_MISSING`` when one cannot be started and ``LOGS_UNREADABLE`` when every one of them failed.
    """
    lines: queue.SimpleQueue[Line] = queue.SimpleQueue()
    count = dict.fromkeys((source.component for source in sources), 0)
    failed: list[str] = []
    last = dict.fromkeys(count, "")
    ordered = InOrder()
    silent, open_logs, began = set(range(len(sources))), len(sources), time.monotonic()
    with _programs(sources, lines):
        while open_logs:
            line = _next(lines, _TICK_SECONDS if follow else None)
            if line is not None:
                silent.discard(line.source)
            if line is not None and line.text is not None:
                at, text = split(line.text)
                count[line.component] += 1
                last[line.component] = text
                ordered.add(line.source, at, time.monotonic(), (line.component, text))
            elif line is not None:
                open_logs -= 1
                if line.rc:
                    failed.append(f"{line.component}: {last[line.component]}")
            if follow and (not silent or time.monotonic() - began > _BEGIN_SECONDS):
                for held in ordered.take(time.monotonic() - _HELD_SECONDS):
                    show(*held)
        for held in ordered.take(math.inf):
            show(*held)
    if failed and len(failed) == len(sources):
        raise ParityError("LOGS_UNREADABLE", "; ".join(failed))
    return count


def _next(lines: queue.SimpleQueue[Line], patience: float | None) -> Line | None:
    """The next line, or None where none comes in ``patience`` seconds."""
    try:
        return lines.get(timeout=patience)
    except queue.Empty:
        return None


@contextmanager
def _programs(sources: Sequence[Source], lines: queue.SimpleQueue[Line]) -> Iterator[None]:
    """The running programs, with a thread that reads each."""
    running: list[subprocess.Popen[bytes]] = []
    try:
        for number, source in enumerate(sources):
            process = start(source.argv, stderr=subprocess.STDOUT, env=clean_env())
            running.append(process)
            threading.Thread(target=_read, args=(number, source.component, process, lines), daemon=True).start()
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


def _read(number: int, component: str, process: subprocess.Popen[bytes], lines: queue.SimpleQueue[Line]) -> None:
    with process:
        for raw in process.stdout or ():
            lines.put(Line(number, component, raw.decode(errors="replace").rstrip("\r\n")))
    lines.put(Line(number, component, None, process.returncode))
