# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every problem a machine can have: a test breaks one thing and names the reason."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._host.checks import Needs, Port
from ansible_collections.gpuaas.parity.plugins.module_utils._host.preflight import Preflight, all_at_once, preflight

GIB = 1024**3
DOCKERS_OWN = "install Docker, with buildx and Compose: https://docs.docker.com/engine/install/debian/"
NEEDS = Needs("gpuaas-parity", ports=(Port(8443),))
# One listening socket on 127.0.0.1:8443 (0x20FB), inode 777, as the kernel prints it.
TCP = (
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    "   0: {address}:20FB 00000000:0000 {state} 00000000:00000000 00:00000000 00000000     0        0 777 1\n"
)


def look(machine: Any, needs: Needs = NEEDS, **options: Any) -> Preflight:
    return preflight(machine.system(), needs, **options)


def reasons(machine: Any, needs: Needs = NEEDS, **options: Any) -> list[str]:
    return [problem.reason for problem in look(machine, needs, **options).problems]


def test_a_healthy_machine_has_no_problems_and_nothing_was_changed(machine: Any) -> None:
    found = look(machine)
    assert found.problems == []
    assert found.facts.docker_version == "26.1.5+dfsg1"
    assert found.facts.cgroup_version == 2
    assert not found.facts.restrict_oom_score_adj
    assert {call.split()[1] for call in machine.calls} == {"info", "ps", "context"}


def info(**changes: Any) -> Callable[[Any], None]:
    def apply(machine: Any) -> None:
        machine.info.update(changes)

    return apply


def attribute(name: str, value: Any) -> Callable[[Any], None]:
    return lambda machine: setattr(machine, name, value)


def proc(path: str, text: str) -> Callable[[Any], None]:
    return lambda machine: machine.write(path, text)


@pytest.mark.parametrize(
    "least",
    [
        info(ServerVersion="23.0.0"),
        attribute("free", 12 * GIB),
        proc("/proc/meminfo", "MemAvailable: 3145728 kB\n"),
        proc("/proc/sys/fs/inotify/max_user_instances", "512\n"),
        proc("/proc/sys/fs/inotify/max_user_watches", "524288\n"),
    ],
    ids=["docker", "disk", "memory", "inotify-instances", "inotify-watches"],
)
def test_the_least_that_is_asked_for_is_enough(machine: Any, least: Callable[[Any], None]) -> None:
    least(machine)
    assert reasons(machine) == []


@pytest.mark.parametrize(
    ("breaks", "reason", "says"),
    [
        (attribute("sysname", "Darwin"), "HOST_OS", "Darwin"),
        (attribute("arch", "riscv64"), "HOST_ARCH", "riscv64"),
        (info(Architecture="aarch64"), "HOST_ARCH", "aarch64"),
        (attribute("docker", False), "HOST_DOCKER_MISSING", "docker"),
        (info(ServerVersion="20.10.24+dfsg1"), "HOST_DOCKER_TOO_OLD", "20.10.24"),
        (info(ServerVersion="22.99.9"), "HOST_DOCKER_TOO_OLD", "23 or newer"),
        (attribute("endpoint", "tcp://10.0.0.8:2376"), "HOST_DOCKER_REMOTE", "tcp://10.0.0.8:2376"),
        (info(SecurityOptions=["name=rootless"], CgroupVersion="1"), "HOST_DOCKER_ROOTLESS", "cgroup v1"),
        (info(ClientInfo={"Plugins": []}), "HOST_BUILDX_MISSING", "buildx"),
        (attribute("programs", {}), "HOST_MMDEBSTRAP_MISSING", "mmdebstrap"),
        (attribute("free", 11 * GIB), "HOST_DISK", "11.0 GiB free, 12 GiB"),
        (attribute("free", None), "HOST_DISK", "cannot be read"),
        (proc("/proc/meminfo", "MemAvailable: 2097152 kB\n"), "HOST_MEMORY", "2.0 GiB"),
        (proc("/proc/meminfo", "MemTotal: 1 kB\n"), "HOST_MEMORY", "cannot be read"),
        (proc("/proc/sys/fs/inotify/max_user_instances", "128\n"), "HOST_INOTIFY", "max_user_instances is 128"),
        (proc("/proc/sys/fs/inotify/max_user_watches", "8192\n"), "HOST_INOTIFY", "max_user_watches is 8192"),
        (attribute("now", 3600.0), "HOST_CLOCK", "1970-01-01 01:00:00"),
        (
            proc("/proc/net/tcp", TCP.format(address="0100007F", state="0A")),
            "HOST_PORT_IN_USE",
            "port 8443 on 127.0.0.1",
        ),
    ],
)
def test_what_is_broken_is_named(machine: Any, breaks: Callable[[Any], None], reason: str, says: str) -> None:
    breaks(machine)
    found = look(machine).problems
    assert [problem.reason for problem in found] == [reason]
    assert says in found[0].seen
    assert found[0].do


@pytest.mark.parametrize(
    ("stderr", "reason"),
    [
        ("Cannot connect to the Docker daemon at unix:///var/run/docker.sock.", "HOST_DOCKER_UNREACHABLE"),
        ("permission denied while trying to connect to the Docker daemon socket", "HOST_DOCKER_PERMISSION"),
        ("something new", "HOST_DOCKER_UNREACHABLE"),
        ("", "HOST_DOCKER_UNREACHABLE"),
    ],
)
def test_an_engine_that_does_not_answer(machine: Any, stderr: str, reason: str) -> None:
    machine.info, machine.info_stderr = None, stderr
    assert reasons(machine, Needs("x", build=False)) == [reason]


def test_server_errors_in_the_json_are_read(machine: Any) -> None:
    machine.info = {
        "ServerVersion": "",
        "ServerErrors": ["permission denied while trying to connect to the Docker daemon"],
    }
    assert reasons(machine, Needs("x", build=False)) == ["HOST_DOCKER_PERMISSION"]


def test_without_systemd_the_advice_starts_the_engine_itself(machine: Any) -> None:
    machine.info, machine.info_stderr, machine.uid = None, "Cannot connect to the Docker daemon", 1000
    assert look(machine, Needs("x", build=False)).problems[0].do.startswith("sudo systemctl start docker ")
    machine.write("/proc/1/comm", "sh\n")
    assert look(machine, Needs("x", build=False)).problems[0].do.startswith("sudo setsid --fork /usr/sbin/dockerd")


@pytest.mark.parametrize(
    ("release", "privilege", "do"),
    [
        ('ID=debian\nVERSION_ID="13"\n', "none", "sudo apt-get install docker.io docker-cli docker-buildx"),
        ("ID=ubuntu\nID_LIKE=debian\n", "none", "sudo apt-get install docker.io docker-buildx"),
        ('ID=debian\nVERSION_ID="12"\n', "none", DOCKERS_OWN),
        ('ID=debian\nVERSION_ID="13"\n', "sudo", "{up} "),
    ],
)
def test_who_cannot_have_docker_installed_is_told_how_to(machine: Any, release: str, privilege: str, do: str) -> None:
    machine.docker, machine.uid = False, 1000
    machine.programs, machine.sudo_rc = {"sudo": "/usr/bin/sudo"}, 0 if privilege == "sudo" else 1
    machine.write("/etc/os-release", release)
    assert look(machine, Needs("x", build=False)).problems[0].do.startswith(do)


@pytest.mark.parametrize(
    ("version", "dockerd", "buildx", "compose"),
    [
        ("13", "/usr/sbin/dockerd", "sudo apt-get install docker-buildx", "sudo apt-get install docker-compose"),
        ("12", "/usr/bin/dockerd", "sudo apt-get install docker-buildx-plugin", "sudo apt-get install docker-compose-plugin"),
        # It has no docker-buildx, and its docker-compose is the first version.
        ("12", "/usr/sbin/dockerd", DOCKERS_OWN, DOCKERS_OWN),
    ],
)
def test_no_package_is_named_that_the_machine_has_not(machine: Any, version: str, dockerd: str, buildx: str, compose: str) -> None:
    machine.write("/etc/os-release", f'ID=debian\nVERSION_ID="{version}"\n')
    machine.info["ClientInfo"]["Plugins"], machine.programs["dockerd"] = [], dockerd
    found = {problem.reason: problem.do for problem in look(machine, Needs("x", compose=True)).problems}
    assert found["HOST_BUILDX_MISSING"].startswith(buildx)
    assert found["HOST_COMPOSE_MISSING"].startswith(compose)


def test_a_run_that_builds_nothing_needs_less(machine: Any) -> None:
    machine.info["ClientInfo"] = {}
    machine.programs, machine.free = {}, 5 * GIB
    assert reasons(machine, Needs("x", build=False)) == []


def test_a_running_cluster_already_has_its_room(machine: Any) -> None:
    machine.free = GIB
    machine.write("/proc/meminfo", "MemAvailable: 1024 kB\n")
    machine.ps = "gpuaas-parity-control-plane\tgpuaas-parity\trunning\t127.0.0.1:8443->8443/tcp\n"
    assert reasons(machine) == []


def test_a_stopped_cluster_needs_no_room_to_build(machine: Any) -> None:
    machine.free = 5 * GIB
    machine.ps = "gpuaas-parity-control-plane\tgpuaas-parity\texited\t\n"
    assert reasons(machine) == []


def test_a_port_published_for_somebody_else_names_the_container(machine: Any) -> None:
    machine.ps = "web\t\trunning\t0.0.0.0:8080->80/tcp, [::]:8440-8443->443/tcp\n"
    problem = look(machine).problems[0]
    assert problem.reason == "HOST_PORT_IN_USE" and "container web" in problem.seen


def test_a_port_on_another_address_is_no_problem(machine: Any) -> None:
    machine.write("/proc/net/tcp", TCP.format(address="0A00000A", state="0A"))
    machine.ps = "web\t\trunning\t10.0.0.10:8443->80/tcp\n"
    assert reasons(machine) == []


def test_a_connection_is_not_a_listener(machine: Any) -> None:
    machine.write("/proc/net/tcp", TCP.format(address="0100007F", state="01"))
    assert reasons(machine) == []


@pytest.mark.parametrize("address", ["0" * 32, "0000000000000000FFFF00000100007F"])
def test_a_v6_listener_can_be_in_the_way(machine: Any, address: str) -> None:
    machine.write("/proc/net/tcp6", TCP.format(address=address, state="0A"))
    assert reasons(machine) == ["HOST_PORT_IN_USE"]


def test_the_process_that_holds_a_port_is_named(machine: Any) -> None:
    machine.write("/proc/net/tcp", TCP.format(address="00000000", state="0A"))
    machine.write("/proc/812/cmdline", "nginx:\0master\0")
    fd = machine.root / "proc/812/fd"
    fd.mkdir()
    (fd / "3").symlink_to("socket:[777]")
    assert "process 812 (nginx: master)" in look(machine).problems[0].seen


def test_the_clock_cannot_be_before_the_checkout(machine: Any, tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / "galaxy.yml").write_text("x")
    os.utime(checkout / "galaxy.yml", (machine.now + 200, machine.now + 200))
    assert reasons(machine, checkout=checkout) == []
    os.utime(checkout / "galaxy.yml", (machine.now + 90000, machine.now + 90000))
    assert reasons(machine, checkout=checkout) == ["HOST_CLOCK"]


@pytest.mark.parametrize(("bounding", "restricted"), [("000001ffffffffff", False), ("000001fffeffffff", True)])
def test_the_engine_decides_about_the_capability(machine: Any, bounding: str, restricted: bool) -> None:
    machine.write("/proc/self/status", "CapBnd:\t0000000000000000\n")
    machine.write("/proc/77/comm", "dockerd\n")
    machine.write("/proc/77/status", f"CapBnd:\t{bounding}\n")
    assert look(machine).facts.restrict_oom_score_adj is restricted


def test_without_a_visible_engine_our_own_bounding_set_counts(machine: Any) -> None:
    machine.write("/proc/self/status", "CapBnd:\t000001fffeffffff\n")
    assert look(machine).facts.restrict_oom_score_adj


def test_all_problems_are_told_at_once(machine: Any) -> None:
    machine.free = GIB
    machine.write("/proc/sys/fs/inotify/max_user_instances", "128\n")
    found = look(machine)
    error = all_at_once(found.problems, found.facts)
    assert error.reason == "HOST_DISK"
    text = str(error)
    assert "HOST_DISK: " in text and "HOST_INOTIFY: " in text and "sudo sysctl -w" in text
    assert [row["reason"] for row in error.details["problems"]] == ["HOST_DISK", "HOST_INOTIFY"]


def test_an_engine_that_was_just_started_is_waited_for(machine: Any) -> None:
    answer, machine.info = machine.info, None
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 3:
            machine.info = answer

    assert reasons(machine, wait_seconds=60, sleep=nap, monotonic=lambda: float(len(naps))) == []
    assert len(naps) == 3


def test_waiting_has_an_end(machine: Any) -> None:
    machine.info = None
    naps: list[float] = []
    found = reasons(machine, Needs("x", build=False), wait_seconds=5, sleep=naps.append, monotonic=lambda: float(len(naps)))
    assert found == ["HOST_DOCKER_UNREACHABLE"] and len(naps) == 5


def test_a_missing_engine_is_not_waited_for(machine: Any) -> None:
    machine.docker = False
    naps: list[float] = []
    look(machine, wait_seconds=5, sleep=naps.append, monotonic=lambda: float(len(naps)))
    assert naps == []
