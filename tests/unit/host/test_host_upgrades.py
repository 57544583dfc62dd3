# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""No package that a machine has is upgraded in silence, nor on a machine that somebody keeps without a yes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._host.checks import Needs
from ansible_collections.gpuaas.parity.plugins.module_utils._host.plan import Plan, plan
from ansible_collections.gpuaas.parity.plugins.module_utils._host.preflight import preflight
from ansible_collections.gpuaas.parity.plugins.module_utils._host.upgrades import (
    Change,
    additions,
    announce,
    changes,
    commands,
    is_disposable,
    refuse,
    simulate,
)

CHECKOUT = Path(__file__).resolve().parents[3]
# Debian 12 that takes docker.io from Debian 13.
NEXT_SUITE = """\
NOTE: This is only a simulation!
      apt-get needs root privileges for real execution.
Reading package lists...
Building dependency tree...
The following additional packages will be installed:
  base-files containerd iptables libc-bin libc6 libc6:i386 runc
The following packages will be REMOVED:
  libc6-legacy
Remv libc6-legacy [2.36-9+deb12u10]
Inst dpkg [1.21.22] (1.22.21 Debian:13.1/stable [amd64])
Conf dpkg (1.22.21 Debian:13.1/stable [amd64])
Inst libc6 [2.36-9+deb12u10] (2.41-12 Debian:13.1/stable [amd64]) [libc6:i386 ]
Inst libc6:i386 [2.36-9+deb12u10] (2.41-12 Debian:13.1/stable [i386])
Conf libc6 (2.41-12 Debian:13.1/stable [amd64])
Inst base-files [12.4+deb12u11] (13.8 Debian:13.1/stable [amd64])
Inst docker.io (26.1.5+dfsg1-9 Debian:13.1/stable [amd64])
Inst runc (1.1.15+ds1-2 Debian:13.1/stable [amd64])
Conf docker.io (26.1.5+dfsg1-9 Debian:13.1/stable [amd64])
"""
# Debian 13, from its own suite.
OWN_SUITE = """\
Inst docker.io (26.1.5+dfsg1-9 Debian:13.1/stable [amd64])
Conf docker.io (26.1.5+dfsg1-9 Debian:13.1/stable [amd64])
"""
DEB822 = "Types: deb\nURIs: https://mirror.example/debian\nSuites: bookworm\nComponents: main\n"


def wanted(machine: Any) -> Plan:
    """What a Debian 12 without Docker gets."""
    machine.docker = False
    machine.write("/etc/apt/sources.list.d/debian.sources", DEB822)
    found = preflight(machine.system(), Needs("gpuaas-parity"))
    return plan(machine.system(), found.facts, found.problems)


def test_every_installed_package_that_changes_is_named_with_both_versions() -> None:
    assert [str(change) for change in changes(NEXT_SUITE)] == [
        "base-files 12.4+deb12u11 -> 13.8",
        "dpkg 1.21.22 -> 1.22.21",
        "libc6 2.36-9+deb12u10 -> 2.41-12",
        "libc6-legacy 2.36-9+deb12u10 -> removed",
        "libc6:i386 2.36-9+deb12u10 -> 2.41-12",
    ]


def test_what_comes_is_told_from_what_changes() -> None:
    assert additions(NEXT_SUITE) == ["docker.io", "runc"]
    assert additions("Conf docker.io (26.1.5 Debian:13.1/stable [amd64])\n") == []


@pytest.mark.parametrize("text", [OWN_SUITE, "", "docker.io is already the newest version (26.1.5+dfsg1-9).\n"])
def test_what_is_new_changes_nothing_that_is_there(text: str) -> None:
    assert changes(text) == []


def test_the_next_suite_is_known_to_the_simulation_alone(machine: Any) -> None:
    machine.simulated = NEXT_SUITE
    asked = wanted(machine)
    before = {path: path.read_text() for path in machine.root.rglob("*") if path.is_file()}
    assert [change.package for change in simulate(machine.system(), asked).changes][:2] == ["base-files", "dpkg"]
    assert {path: path.read_text() for path in machine.root.rglob("*") if path.is_file()} == before
    assert machine.beside["sources.list.d/gpuaas-parity.sources"] == asked.sources
    assert machine.beside["sources.list.d/debian.sources"] == DEB822
    assert "Pin-Priority: 100" in machine.beside["preferences.d/gpuaas-parity"]
    update, install = (call for call in machine.calls if call.startswith("apt-get"))
    assert update.endswith("update -qq")
    assert "--simulate --no-install-recommends --target-release=trixie docker.io docker-buildx docker-cli" in install


def test_packages_of_the_own_suite_are_simulated_without_another(machine: Any) -> None:
    simulate(machine.system(), Plan(plain_packages=("mmdebstrap",)))
    assert machine.calls[-1].endswith("install --simulate mmdebstrap")
    assert machine.beside == {}


@pytest.mark.parametrize(
    ("first", "ci", "disposable"),
    [
        ("systemd", "", False),
        ("init", "", False),
        ("init(Debian)", "", False),
        ("runit", "", False),
        # Process 1 of another user may be hidden: what is not known is kept.
        ("", "", False),
        ("systemd", "false", False),
        ("systemd", "true", True),
        ("systemd", "1", True),
        ("bash", "", True),
        ("docker-init", "", True),
    ],
)
def test_a_machine_is_disposable_when_ci_says_so_or_no_init_runs(machine: Any, first: str, ci: str, disposable: bool) -> None:
    machine.write("/proc/1/comm", f"{first}\n")
    machine.environ = {"CI": ci}
    assert is_disposable(machine.system()) is disposable


def test_a_refusal_lists_each_package_and_says_what_to_type() -> None:
    error = refuse(changes(NEXT_SUITE), Plan(packages=("docker.io",), plain_packages=("mmdebstrap",)))
    assert error.reason == "HOST_UPGRADE_REFUSED"
    assert error.seen.splitlines()[0] == "installing docker.io, mmdebstrap would change these packages:"
    assert error.seen.splitlines()[3] == "  libc6 2.36-9+deb12u10 -> 2.41-12"
    assert "HOST_UPGRADE=yes" in error.do
    assert error.details["changes"][1] == {"package": "dpkg", "installed": "1.21.22", "new": "1.22.21"}


def test_what_goes_on_is_listed() -> None:
    assert announce([Change("a", "1", "2")]).splitlines()[1:] == ["  a 1 -> 2"]


@pytest.mark.parametrize(
    "asked",
    [
        Plan(packages=("docker.io", "docker-cli"), plain_packages=("mmdebstrap",), suite="trixie"),
        Plan(packages=("docker-ce",)),
        Plan(plain_packages=("acl",)),
    ],
)
def test_what_is_run_is_what_was_simulated(machine: Any, asked: Plan) -> None:
    simulate(machine.system(), asked)
    simulated = [call.partition(" --simulate ")[2] for call in machine.calls if "--simulate" in call]
    update, *installs = commands(asked)
    assert update[:2] == ["apt-get", "update"]
    assert [" ".join(part for part in install[3:] if not part.startswith("--option=")) for install in installs] == simulated
    assert all(install[:3] == ["apt-get", "install", "--yes"] for install in installs)


def test_the_role_installs_nothing_else() -> None:
    """Not by ansible.builtin.apt: that brings python3-apt and what it needs, unseen, to a machine without it."""
    installing = 0
    for file in sorted((CHECKOUT / "roles/host/tasks").glob("*.yml")):
        tasks = list(flat(yaml.safe_load(file.read_text(encoding="utf-8"))))
        modules = [next(key for key in task if "." in key) for task in tasks]
        assert not {"ansible.builtin.apt", "ansible.builtin.package"} & set(modules), file.name
        for number, task in enumerate(tasks):
            if ".commands" in task.get("loop", ""):
                installing += 1
                assert "gpuaas.parity.host_upgrades_info" in modules[:number], file.name
                assert "ansible.builtin.copy" not in modules[: modules.index("gpuaas.parity.host_upgrades_info")], file.name
    assert installing == 2


def flat(tasks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Tasks in their order, those of blocks in the place of the block."""
    for task in tasks:
        yield from flat(task["block"]) if "block" in task else [task]
