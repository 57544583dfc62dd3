# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine made of files and canned answers."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._host.system import System
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Completed

GIB = 1024**3
NOW = 1_800_000_000.0

INFO: dict[str, Any] = {
    "ServerVersion": "26.1.5+dfsg1",
    "CgroupVersion": "2",
    "SecurityOptions": ["name=seccomp,profile=builtin"],
    "Architecture": "x86_64",
    "DockerRootDir": "/",
    "ClientInfo": {"Plugins": [{"Name": "buildx", "Version": "0.13.1"}]},
}


@dataclass
class Machine:
    """A healthy Debian; a test breaks what it is about."""

    root: Path
    info: dict[str, Any] | None = field(default_factory=lambda: json.loads(json.dumps(INFO)))
    info_stderr: str = ""
    ps: str = ""
    endpoint: str = "unix:///var/run/docker.sock"
    programs: dict[str, str] = field(default_factory=lambda: {"dockerd": "/usr/sbin/dockerd", "mmdebstrap": "/usr/bin/mmdebstrap"})
    sudo_rc: int = 0
    uid: int = 0
    free: int | None = 100 * GIB
    now: float = NOW
    sysname: str = "Linux"
    arch: str = "x86_64"
    docker: bool = True
    simulated: str = ""
    answers: dict[str, str] = field(default_factory=dict)
    installed: set[str] = field(default_factory=set)
    needs: dict[str, set[str]] = field(default_factory=dict)
    names: str = ""
    environ: dict[str, str] = field(default_factory=dict)
    beside: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def write(self, path: str, text: str) -> Path:
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def run(self, argv: Sequence[str], **_options: Any) -> Completed:
        self.calls.append(" ".join(argv))
        if argv[0] == "docker" and not self.docker:
            raise ParityError("COMMAND_MISSING", "cannot start docker: No such file or directory")
        if argv[:2] == ["docker", "info"]:
            return Completed(json.dumps(self.info or {"ServerErrors": None}), self.info_stderr, 0 if self.info else 1)
        if argv[:2] == ["docker", "context"]:
            return Completed(f"{self.endpoint}\n", "", 0)
        if argv[:2] == ["docker", "ps"]:
            return Completed(self.names if argv[-1] == "{{.Names}}" else self.ps, "", 0)
        if argv[:2] == ["sudo", "-n"]:
            return Completed("", "", self.sudo_rc)
        if argv[0] == "apt-get":
            return self.removal(argv[3:]) if argv[1] == "remove" else self.apt(argv)
        if argv[0].endswith("apt-helper"):
            return self.download(*argv[-2:])
        if argv[0] == "dpkg-query":
            return Completed("".join(f"{name} {name} installed\n" for name in sorted(self.installed)), "", 0)
        raise AssertionError(argv)

    def apt(self, argv: Sequence[str]) -> Completed:
        """What apt reads beside its own configuration is kept, as it goes with the simulation."""
        (configured,) = (Path(argument.partition("=")[2]) for argument in argv if argument.startswith("--config-file="))
        for file in sorted(configured.parent.glob("*.d/*")):
            self.beside[f"{file.parent.name}/{file.name}"] = file.read_text()
        return Completed(self.simulated if "--simulate" in argv else "", "", 0)

    def download(self, uri: str, file: str) -> Completed:
        """What an archive answers."""
        if uri not in self.answers:
            return Completed("", "E: Download Failed", 100)
        Path(file).write_text(self.answers[uri])
        return Completed("", "", 0)

    def removal(self, packages: Sequence[str]) -> Completed:
        """What goes with ``packages``: whatever needs one of them, and what needs that."""
        gone = set(packages)
        while more := {name for name, wants in self.needs.items() if wants & gone and name in self.installed} - gone:
            gone |= more
        return Completed("".join(f"Remv {name} [1]\n" for name in sorted(gone)), "", 0)

    def free_bytes(self, _path: Path) -> int:
        if self.free is None:
            raise PermissionError
        return self.free

    def system(self) -> System:
        uname = os.uname_result((self.sysname, "host", "6.1", "#1", self.arch))
        found: Mapping[str, str] = self.programs
        return System(
            root=self.root,
            runner=self.run,
            which=found.get,
            free_bytes=self.free_bytes,
            now=lambda: self.now,
            uname=lambda: uname,
            effective_uid=lambda: self.uid,
            environ=self.environ,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    made = Machine(tmp_path)
    made.write("/etc/os-release", 'ID=debian\nVERSION_ID="13"\n')
    made.write("/proc/meminfo", f"MemTotal: 1 kB\nMemAvailable: {8 * 1024 * 1024} kB\n")
    made.write("/proc/sys/fs/inotify/max_user_instances", "1024\n")
    made.write("/proc/sys/fs/inotify/max_user_watches", "1048576\n")
    made.write("/proc/self/status", "Name:\tx\nCapBnd:\t000001ffffffffff\n")
    made.write("/proc/1/comm", "systemd\n")
    return made
