# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A checkout of its own on a machine that is well; a test breaks what it is about."""

from __future__ import annotations

import datetime
import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import load_platform
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.render import render_mode
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.rendered import Place as Rendered
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.rendered import with_record
from ansible_collections.gpuaas.parity.plugins.module_utils._doctor.examine import examine
from ansible_collections.gpuaas.parity.plugins.module_utils._doctor.model import Condition, Place
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Completed
from ansible_collections.gpuaas.parity.plugins.module_utils._run.state_dir import make_state_dir
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.keep import Origin, keep
from ansible_collections.gpuaas.parity.plugins.module_utils._tls.keep import keep as keep_tls
from ansible_collections.gpuaas.parity.tests.unit.host.conftest import Machine

ROOT = Path(__file__).parents[3]
MODES = ("compose", "kind", "vm-105", "platform_control")
NOW = datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC)
_LOCKED = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)


class Host(Machine):
    """The machine of the host's tests, with Docker Compose and containers."""

    containers: dict[str, list[dict[str, Any]]]
    networks: list[dict[str, Any]]

    def run(self, argv: Sequence[str], **options: Any) -> Completed:
        if argv[:2] == ["docker", "ps"] and "--filter" in argv:
            named = self.containers.get(argv[argv.index("--filter") + 1], [])
            return Completed("\n".join(raw["Id"] for raw in named), "", 0)
        if argv[:2] == ["docker", "inspect"]:
            known = {raw["Id"]: raw for every in self.containers.values() for raw in every}
            known |= {raw["Name"]: raw for raw in self.networks}
            found = [known[name] for name in argv[4:] if name in known]
            lost = "".join(f"Error: No such object: {name}\n" for name in argv[4:] if name not in known)
            return Completed(json.dumps(found), lost, 1 if lost else 0)
        return super().run(argv, **options)


@dataclass
class Site:
    """The checkout, the machine, and the Python environment's versions."""

    root: Path
    machine: Host
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def place(self) -> Place:
        return Place(
            root=self.root,
            platform=self.root / "platform",
            state_root=self.root / ".parity",
            compose_dir=self.root / "deploy" / "local",
            lane="",
            cluster="gpuaas-parity",
        )

    def examine(self, *modes: str) -> dict[str, Condition]:
        found = examine(self.place, modes or MODES, self.machine.system(), NOW, self.versions.__getitem__)
        return {condition.mode: condition for condition in found}

    def reasons(self, *modes: str) -> dict[str, list[str]]:
        """What stops which mode; modes that nothing stops are left out."""
        found = self.examine(*modes)
        return {mode: [each.reason for each in one.findings] for mode, one in found.items() if one.findings}

    def render(self, mode: str) -> tuple[Path, dict[str, Any]]:
        """Render a mode, with its secrets and its CA, as a run does."""
        state_dir = self.place.state_dir(mode)
        make_state_dir(state_dir)
        where = Rendered.of(state_dir, self.place.compose_dir if mode == "compose" else None)
        platform = load_platform(self.place.platform)
        rendering = render_mode(platform, platform.mode(mode), platform.contract.defaults["lane"], where.paths(self.root))
        where.write(with_record(rendering.tree))
        keep(rendering.contract, state_dir, Origin("local"), cluster_exists=False, dry=False)
        keep_tls(rendering.contract, state_dir, NOW, dry=False)
        return state_dir, rendering.contract


@pytest.fixture
def site(tmp_path: Path) -> Site:
    root = tmp_path / "checkout"
    shutil.copytree(ROOT / "platform", root / "platform")
    (root / "requirements").mkdir()
    lock = (ROOT / "requirements" / "runtime.txt").read_text()
    (root / "requirements" / "runtime.txt").write_text(lock)
    machine = Host(tmp_path / "machine")
    machine.containers, machine.networks = {}, []
    assert machine.info is not None
    machine.info["ClientInfo"]["Plugins"] = [{"Name": "buildx", "Version": "0.13.1"}, {"Name": "compose", "Version": "2.26.1"}]
    machine.write("/etc/os-release", 'ID=fedora\nVERSION_ID="43"\n')
    machine.write("/proc/meminfo", f"MemTotal: 1 kB\nMemAvailable: {8 * 1024 * 1024} kB\n")
    machine.write("/proc/sys/fs/inotify/max_user_instances", "1024\n")
    machine.write("/proc/sys/fs/inotify/max_user_watches", "1048576\n")
    machine.write("/proc/self/status", "Name:\tx\nCapBnd:\t000001ffffffffff\n")
    return Site(root, machine, dict(_LOCKED.findall(lock)))
