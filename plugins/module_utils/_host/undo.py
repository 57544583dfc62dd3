# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Undo what was changed on this machine: a plan of steps made of the record and of what is there now.

What the machine had before is never removed: a package that something else needs by now stays, a file that was edited
since stays, and so does an engine that runs somebody else's containers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._host.record import Record, boot_of, digest, members_of
from ansible_collections.gpuaas.parity.plugins.module_utils._host.system import System
from ansible_collections.gpuaas.parity.plugins.module_utils._host.upgrades import Change
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import PATIENT, clean_env
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker
from ansible_collections.gpuaas.parity.plugins.module_utils._status.machine import standing

_ENGINES = ("docker.io", "docker-ce")
_SOCKET = "/var/run/docker.sock"
_PID_FILE = "/run/docker.pid"
_REMOVED = re.compile(r"^(?:Remv|Purg) (\S+)", re.MULTILINE)
_CONTAINERS = Path("var/lib/docker/containers")
_ABSENT = 2  # of ls
_NAMED = 4


@dataclass(frozen=True)
class Step:
    """Something that is undone: in words, and the commands that root types for it."""

    text: str
    commands: tuple[tuple[str, ...], ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for a result."""
        return {"text": self.text, "commands": [" ".join(command) for command in self.commands]}


@dataclass(frozen=True)
class Undo:
    """What can be undone, in order, and what stays and why."""

    steps: tuple[Step, ...] = ()
    stays: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """The plan as a person reads it, each command under what it is for."""
        shown: list[str] = [] if self.steps else ["nothing that was changed is there any more"]
        for step in self.steps:
            shown += [step.text, *(f"    {' '.join(command)}" for command in step.commands)]
        return [*shown, *(["what stays:", *(f"  {text}" for text in self.stays)] if self.stays else [])]


def plan_undo(system: System, record: Record) -> Undo:
    """What undoing ``record`` comes to on the machine as it is now. Only reads, and simulates with apt.

    Raises ParityError ``COMMAND_FAILED`` with what apt said.
    """
    removable, needed = _removable(system, record.packages)
    stays = [f"{package}: installed packages need it by now" for package in needed]
    stays += [f"{change}: {_not_undone(change)}" for change in record.changes]
    if removable:
        stays.append("configuration files of removed packages: dpkg --list | grep ^rc names them, sudo apt-get purge removes them")
    if set(removable) & set(_ENGINES):
        stays.append("/var/lib/docker with the images and volumes in it: sudo rm -r /var/lib/docker, if nobody needs them")
        stays.append("docker0 and the engine's rules in the packet filter: until the machine restarts")
    kept = [path for path, sha in record.files.items() if _edited(system, path, sha)]
    stays += [f"{path}: it was edited since" for path in kept]
    steps = [
        *_access(system, record),
        *_limits(system, record),
        *_engine(system, record, removable),
        *_packages(removable),
        *_files(system, [path for path in record.files if path not in kept]),
    ]
    return Undo(tuple(steps), tuple(stays))


def _not_undone(change: Change) -> str:
    return "apt does not go back to an older version safely" if change.new else f"apt-get install {change.package} brings it back"


def refuse_while_used(system: System, record: Record, privilege: str) -> None:
    """Raise ParityError ``HOST_UNDO_IN_USE`` while a platform of ours stands, or the engine to be removed has containers.

    An engine that cannot be asked is refused with its own reason, unless it keeps no container.
    """
    docker = Docker(system.runner)
    try:
        platforms = standing(docker)
        containers = docker.lines("ps", "--all", "--format", "{{.Names}}")
    except ParityError as error:
        if error.reason == "HOST_DOCKER_MISSING" or (error.reason == "HOST_DOCKER_UNREACHABLE" and not _keeps(system, privilege)):
            return
        raise
    if platforms:
        named = ", ".join(f"{found.name} ({found.state_dir})" for found in platforms)
        raise ParityError("HOST_UNDO_IN_USE", f"these platforms stand on this machine: {named}")
    if containers and (record.engine_boot or set(record.packages) & set(_ENGINES)):
        more = f" and {len(containers) - _NAMED} more" if len(containers) > _NAMED else ""
        seen = f"the engine that would go has containers: {', '.join(containers[:_NAMED])}{more}"
        raise ParityError("HOST_UNDO_IN_USE", seen, "docker rm --force those that nobody needs; with the others, keep the engine")


def _keeps(system: System, privilege: str) -> bool:
    """Whether an engine that does not run keeps containers for when it does."""
    if not (system.root / _CONTAINERS.parent).exists():
        return False
    done = system.runner(_as_root(["ls", "-A", f"/{_CONTAINERS}"], privilege), check=False, timeout=60.0, env=clean_env())
    return bool(done.stdout.strip()) or done.rc not in (0, _ABSENT)


def perform(system: System, step: Step, privilege: str) -> None:
    """Type the commands of ``step``, as root or through sudo. Raises ParityError as `run` does."""
    for command in step.commands:
        system.runner(_as_root(command, privilege), timeout=PATIENT, env=clean_env({"DEBIAN_FRONTEND": "noninteractive"}))


def _as_root(command: Sequence[str], privilege: str) -> list[str]:
    return [*(["sudo", "-n"] if privilege == "sudo" else []), *command]


def _removable(system: System, packages: Sequence[str]) -> tuple[list[str], list[str]]:
    """Those of ``packages`` that are installed and can go without any other, and those that cannot."""
    present = _installed(system, packages)
    wanted = [package for package in packages if package in present]
    needed = _needed(system, wanted, wanted)
    left = [package for package in wanted if package not in needed]
    return ([], wanted) if _taken_along(system, left) else (left, needed)


def _needed(system: System, packages: list[str], wanted: Sequence[str]) -> list[str]:
    """Those of ``packages`` without which something besides ``wanted`` would go, by halves: apt takes its time for each look."""
    if not _taken_along(system, packages, besides=wanted):
        return []
    half = len(packages) // 2
    return [*_needed(system, packages[:half], wanted), *_needed(system, packages[half:], wanted)] if half else packages


def _taken_along(system: System, packages: Sequence[str], besides: Sequence[str] = ()) -> set[str]:
    """Which other packages would go with ``packages``."""
    if not packages:
        return set()
    argv = ["apt-get", "remove", "--simulate", *packages]
    said = system.runner(argv, timeout=PATIENT, env=clean_env()).stdout
    return set(_REMOVED.findall(said)) - {*packages, *besides}


def _installed(system: System, packages: Iterable[str]) -> set[str]:
    argv = ["dpkg-query", "--show", "--showformat", "${binary:Package} ${Package} ${db:Status-Status}\n"]
    rows = [line.split() for line in system.runner([*argv], timeout=60.0, env=clean_env()).stdout.splitlines()]
    return {name for row in rows if len(row) == 3 and row[2] == "installed" for name in row[:2]} & set(packages)


def _packages(removable: Sequence[str]) -> Iterator[Step]:
    if removable:
        # Not purged: that of docker.io removes /var/lib/docker.
        text = f"remove the {len(removable)} packages that were installed"
        yield Step(text, (("apt-get", "remove", "--yes", *removable),))


def _engine(system: System, record: Record, removable: Sequence[str]) -> Iterator[Step]:
    """An engine that was started during this boot, or whose program goes, is stopped."""
    pid = system.number(_PID_FILE)
    runs = pid is not None and system.text(f"/proc/{pid}/comm").strip() == "dockerd"
    if not runs or not (record.engine_boot == boot_of(system) or set(removable) & set(_ENGINES)):
        return
    if system.text("/proc/1/comm").strip() == "systemd":
        yield Step("stop the Docker engine", (("systemctl", "stop", "docker.socket", "docker.service"),))
    else:
        stop = ("start-stop-daemon", "--stop", "--pidfile", _PID_FILE, "--name", "dockerd", "--retry", "60")
        yield Step("stop the Docker engine", (stop,))


def _access(system: System, record: Record) -> Iterator[Step]:
    members = members_of(system, "docker")
    for user in record.members:
        if user in members:
            yield Step(f"take {user} out of the group docker", (("gpasswd", "--delete", user, "docker"),))
    if (system.root / _SOCKET.lstrip("/")).exists():
        for user in record.sockets:
            yield Step(f"close the engine's socket to {user}", (("setfacl", "--remove", f"user:{user}", _SOCKET),))


def _limits(system: System, record: Record) -> Iterator[Step]:
    """Limits that still have the value that was set; a restart of the machine, or somebody else, may have changed them."""
    for name, limit in record.limits.items():
        if system.number(f"/proc/sys/{name.replace('.', '/')}") == limit.after:
            yield Step(f"lower {name} to what it was", (("sysctl", "-w", f"{name}={limit.before}"),))


def _files(system: System, paths: Sequence[str]) -> Iterator[Step]:
    there = [path for path in paths if (system.root / path.lstrip("/")).exists()]
    if there:
        yield Step("remove the sources, pins and keys that were written for apt", (("rm", "--", *there),))


def _edited(system: System, path: str, sha: str) -> bool:
    try:
        return digest((system.root / path.lstrip("/")).read_bytes()) != sha
    except FileNotFoundError:
        return False
    except OSError:
        return True
