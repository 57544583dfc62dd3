# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about the machine that decide whether and how the platform runs on it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._host.engine import Engine, docker_root, lacks_sys_resource
from ansible_collections.gpuaas.parity.plugins.module_utils._host.system import System
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import clean_env

GIB = 1024**3


@dataclass(frozen=True)
class HostFacts:
    """What was found. Sizes are in bytes; None means that it could not be read."""

    system: str
    architecture: str
    os_id: str
    os_like: tuple[str, ...]
    os_version: str
    docker_version: str
    docker_endpoint: str
    dockerd: str
    buildx_version: str
    compose_version: str
    mmdebstrap: str
    rootless: bool
    cgroup_version: int
    restrict_oom_score_adj: bool
    disk_path: str
    disk_free: int | None
    memory_available: int | None
    inotify_instances: int | None
    inotify_watches: int | None
    time: float
    newest_file_time: float
    privilege: str
    init_systemd: bool

    def as_dict(self) -> dict[str, Any]:
        """Plain data for a result or a report."""
        return {**asdict(self), "os_like": list(self.os_like)}


def read_facts(system: System, engine: Engine, checkout: Path | None) -> HostFacts:
    """Read every fact. Nothing is changed; what cannot be read is None, empty or false."""
    uname = system.uname()
    release = _os_release(system.text("/etc/os-release"))
    disk = docker_root(engine)
    return HostFacts(
        system=uname.sysname,
        architecture=uname.machine,
        os_id=release.get("ID", ""),
        os_like=tuple(release.get("ID_LIKE", "").split()),
        os_version=release.get("VERSION_ID", ""),
        docker_version=engine.version,
        docker_endpoint=engine.endpoint,
        dockerd=system.which("dockerd") or _existing(system, "/usr/sbin/dockerd", "/usr/bin/dockerd"),
        buildx_version=engine.buildx,
        compose_version=engine.compose,
        mmdebstrap=system.which("mmdebstrap") or "",
        rootless=engine.rootless,
        cgroup_version=engine.cgroup_version or _cgroup_version(system),
        restrict_oom_score_adj=engine.rootless or lacks_sys_resource(system),
        disk_path=str(disk),
        disk_free=_free(system, disk),
        memory_available=_memory_available(system.text("/proc/meminfo")),
        inotify_instances=system.number("/proc/sys/fs/inotify/max_user_instances"),
        inotify_watches=system.number("/proc/sys/fs/inotify/max_user_watches"),
        time=system.now(),
        newest_file_time=_newest(checkout),
        privilege=privilege(system),
        init_systemd=system.text("/proc/1/comm").strip() == "systemd",
    )


def _os_release(text: str) -> dict[str, str]:
    """os-release(5): shell assignments, one a line."""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {key.strip(): " ".join(shlex.split(value)) for key, _separator, value in pairs}


def _existing(system: System, *paths: str) -> str:
    return next((path for path in paths if (system.root / path.lstrip("/")).exists()), "")


def _cgroup_version(system: System) -> int:
    """2 when the unified hierarchy is mounted at the root (cgroups(7))."""
    return 2 if (system.root / "sys/fs/cgroup/cgroup.controllers").exists() else 1


def _free(system: System, path: Path) -> int | None:
    try:
        return system.free_bytes(path)
    except OSError:
        return None


def _memory_available(meminfo: str) -> int | None:
    """MemAvailable of proc_meminfo(5), which is in KiB."""
    for line in meminfo.splitlines():
        key, _separator, value = line.partition(":")
        if key == "MemAvailable":
            return int(value.split()[0]) * 1024
    return None


def _newest(checkout: Path | None) -> float:
    """The newest modification time among the top of the checkout: the clock cannot be before it."""
    if checkout is None:
        return 0.0
    return max((entry.stat().st_mtime for entry in _entries(checkout)), default=0.0)


def _entries(checkout: Path) -> Iterable[Path]:
    names = ("galaxy.yml", "Makefile", "contract", "requirements", "roles", "plugins", ".git/HEAD", ".git/index")
    return (checkout / name for name in names if (checkout / name).exists())


def privilege(system: System) -> str:
    """`root`, `sudo` (without a password), or `none`."""
    if system.effective_uid() == 0:
        return "root"
    if system.which("sudo") is None:
        return "none"
    try:
        done = system.runner(["sudo", "-n", "true"], check=False, timeout=5.0, env=clean_env())
    except ParityError:
        return "none"
    return "sudo" if done.rc == 0 else "none"
