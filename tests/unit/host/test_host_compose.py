# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a machine needs for Docker Compose, and what may be installed for it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._host.checks import Needs, Port
from ansible_collections.gpuaas.parity.plugins.module_utils._host.plan import Plan, plan
from ansible_collections.gpuaas.parity.plugins.module_utils._host.preflight import preflight

PROJECT = "gpuaas-local"
NEEDS = Needs(PROJECT, compose=True)


def with_plugin(machine: Any, version: str) -> None:
    machine.info["ClientInfo"]["Plugins"].append({"Name": "compose", "Version": version})


def problems(machine: Any, needs: Needs = NEEDS) -> list[ParityError]:
    return preflight(machine.system(), needs).problems


def planned(machine: Any) -> Plan:
    found = preflight(machine.system(), NEEDS)
    return plan(machine.system(), found.facts, found.problems)


@pytest.mark.parametrize("version", ["2.26.1-4", "v2.20.2", "2.40.3+ds1-0ubuntu1~24.04.1", "5.0.0", "dev"])
def test_a_plugin_that_is_new_enough_is_no_problem(machine: Any, version: str) -> None:
    with_plugin(machine, version)
    assert problems(machine) == []


@pytest.mark.parametrize("version", ["2.20.1", "v2.17.3", "1.29.2"])
def test_an_old_plugin_is_told_with_its_version(machine: Any, version: str) -> None:
    with_plugin(machine, version)
    (problem,) = problems(machine)
    assert problem.reason == "HOST_COMPOSE_MISSING"
    assert version in problem.seen


def test_a_missing_plugin_is_a_problem_of_this_mode_alone(machine: Any) -> None:
    assert [problem.reason for problem in problems(machine)] == ["HOST_COMPOSE_MISSING"]
    assert problems(machine, Needs("gpuaas-parity")) == []


@pytest.mark.parametrize(
    ("release", "dockerd", "package", "do"),
    [
        ("ID=debian\n", "/usr/sbin/dockerd", ("docker-compose",), "sudo apt-get install docker-compose"),
        ("ID=ubuntu\nID_LIKE=debian\n", "/usr/sbin/dockerd", ("docker-compose-v2",), "sudo apt-get install docker-compose-v2"),
        ("ID=debian\n", "/usr/bin/dockerd", (), "sudo apt-get install docker-compose-plugin"),
        ('ID=debian\nVERSION_ID="12"\n', "/usr/bin/dockerd", (), "sudo apt-get install docker-compose-plugin"),
        ("ID=fedora\n", "/usr/bin/dockerd", (), "sudo dnf install docker-compose-plugin"),
        ("ID=arch\n", "", (), "see https://docs.docker.com/compose/install/linux/"),
    ],
)
def test_the_plugin_comes_from_where_the_engine_does(machine: Any, release: str, dockerd: str, package: tuple[str, ...], do: str) -> None:
    machine.write("/etc/os-release", release)
    machine.programs["dockerd"] = dockerd
    assert problems(machine)[0].do == do
    assert planned(machine).packages == package


def test_debian_12_takes_the_plugin_from_the_next_suite(machine: Any) -> None:
    machine.write("/etc/apt/sources.list", "deb https://mirror.example/debian bookworm main\n")
    found = planned(machine)
    assert (found.packages, found.suite) == (("docker-compose",), "trixie")


def test_a_bare_machine_gets_engine_and_plugin(machine: Any) -> None:
    machine.docker, machine.programs = False, {}
    assert planned(machine).packages == ("docker.io", "docker-buildx", "docker-compose", "docker-cli")


def test_the_engine_must_be_25(machine: Any) -> None:
    with_plugin(machine, "2.26.1")
    machine.info["ServerVersion"] = "24.0.7"
    (problem,) = problems(machine)
    assert (problem.reason, "25 or newer" in problem.seen) == ("HOST_DOCKER_TOO_OLD", True)


def test_what_only_a_node_needs_is_not_asked_for(machine: Any) -> None:
    with_plugin(machine, "2.26.1")
    machine.write("/proc/sys/fs/inotify/max_user_instances", "128\n")
    assert problems(machine) == []


@pytest.mark.parametrize(("owner", "reasons"), [(PROJECT, []), ("other", ["HOST_PORT_IN_USE"])])
def test_the_projects_own_ports_are_not_in_the_way(machine: Any, owner: str, reasons: list[str]) -> None:
    with_plugin(machine, "2.26.1")
    machine.ps = f"{owner}-postgres-1\t{owner}\trunning\t127.0.0.1:15432->5432/tcp\n"
    needs = Needs(PROJECT, compose=True, ports=(Port(15432),))
    assert [problem.reason for problem in problems(machine, needs)] == reasons
