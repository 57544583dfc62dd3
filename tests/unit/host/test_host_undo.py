# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `up` changed on the machine can be undone, and what was there before is not touched."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._host.record import Record, read, write
from ansible_collections.gpuaas.parity.plugins.module_utils._host.system import System
from ansible_collections.gpuaas.parity.plugins.module_utils._host.undo import Undo, perform, plan_undo, refuse_while_used
from ansible_collections.gpuaas.parity.plugins.module_utils._host.upgrades import Change
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Completed

CHECKOUT = Path(__file__).resolve().parents[3]
SOURCES = "/etc/apt/sources.list.d/gpuaas-parity.sources"
INSTANCES = "fs.inotify.max_user_instances"


def commands(undo: Undo) -> list[str]:
    return [" ".join(command) for step in undo.steps for command in step.commands]


# --- the record


def test_a_record_survives_its_file(machine: Any, tmp_path: Path) -> None:
    path = tmp_path / "state" / "host.json"
    machine.write("/proc/sys/kernel/random/boot_id", "b00t\n")
    made = Record().and_packages(["runc"], [Change("libc6", "1", "2")]).and_files({SOURCES: "text"})
    made = made.and_limits(machine.system(), {INSTANCES: 2048}).and_engine(machine.system()).and_user(machine.system(), "me")
    write(path, made)
    assert read(path) == made
    assert path.stat().st_mode & 0o777 == 0o600


def test_no_file_is_no_change(tmp_path: Path) -> None:
    assert not read(tmp_path / "none")


@pytest.mark.parametrize("text", ["", "[]", '{"version": 9}', '{"version": 1}', '{"version": 1, "packages": 3}'])
def test_a_damaged_record_is_refused_and_not_replaced(tmp_path: Path, text: str) -> None:
    path = tmp_path / "host.json"
    path.write_text(text)
    with pytest.raises(ParityError) as caught:
        read(path)
    assert caught.value.reason == "HOST_RECORD_INVALID"
    assert path.read_text() == text


def test_a_second_installation_does_not_make_ours_the_machines() -> None:
    first = Record().and_packages(["docker.io"], [Change("libc6", "2.36", "2.41")])
    second = first.and_packages(["mmdebstrap"], [Change("docker.io", "26.1", "27.0"), Change("libc6", "2.41", "2.42")])
    assert second.packages == ("docker.io", "mmdebstrap")
    assert second.changes == (Change("libc6", "2.36", "2.42"),)


def test_what_the_machine_had_never_becomes_ours() -> None:
    """An old engine that was replaced was removed first, and is not new."""
    replaced = Record().and_packages([], [Change("docker.io", "20.10", "")])
    assert replaced.and_packages(["docker.io"], []).packages == ()


def test_a_limit_keeps_what_it_was_at_first(machine: Any) -> None:
    path = f"/proc/sys/{INSTANCES.replace('.', '/')}"
    machine.write(path, "128\n")
    first = Record().and_limits(machine.system(), {INSTANCES: 512})
    machine.write(path, "512\n")
    second = first.and_limits(machine.system(), {INSTANCES: 1024})
    assert (second.limits[INSTANCES].before, second.limits[INSTANCES].after) == (128, 1024)
    machine.write(path, "300\n")
    assert second.and_limits(machine.system(), {INSTANCES: 512}).limits[INSTANCES].before == 300


def test_a_member_from_before_stays_one(machine: Any) -> None:
    machine.write("/etc/group", "root:x:0:\ndocker:x:101:anna,bert\n")
    assert Record().and_user(machine.system(), "bert").members == ()
    assert Record().and_user(machine.system(), "carl").members == ("carl",)


# --- the plan


def test_nothing_recorded_is_nothing_to_undo(machine: Any) -> None:
    assert plan_undo(machine.system(), Record()) == Undo()


def test_packages_that_were_new_are_removed_and_not_purged(machine: Any) -> None:
    machine.installed = {"bash", "docker.io", "runc"}
    undo = plan_undo(machine.system(), Record(packages=("docker.io", "gone", "runc")))
    assert commands(undo) == ["apt-get remove --yes docker.io runc"]
    assert [text.split(":")[0] for text in undo.stays] == [
        "configuration files of removed packages",
        "/var/lib/docker with the images and volumes in it",
        "docker0 and the engine's rules in the packet filter",
    ]


def test_what_something_else_needs_by_now_stays(machine: Any) -> None:
    machine.installed = {"docker.io", "containerd", "runc", "podman", "iptables"}
    machine.needs = {"docker.io": {"containerd", "iptables"}, "containerd": {"runc"}, "podman": {"runc"}}
    undo = plan_undo(machine.system(), Record(packages=("containerd", "docker.io", "iptables", "runc")))
    assert commands(undo) == ["apt-get remove --yes containerd docker.io iptables"]
    assert "runc: installed packages need it by now" in undo.stays


def test_what_is_needed_is_found_by_halves(machine: Any) -> None:
    """Each look at apt takes half a second or more."""
    ours = [f"package{number:02}" for number in range(64)]
    machine.installed, machine.needs = {*ours, "theirs"}, {"theirs": {"package37"}}
    undo = plan_undo(machine.system(), Record(packages=tuple(ours)))
    assert len(undo.steps[0].commands[0]) == len(["apt-get", "remove", "--yes"]) + 63
    assert len([call for call in machine.calls if "--simulate" in call]) < 20


def test_no_package_that_is_not_ours_ever_goes(machine: Any) -> None:
    machine.installed = {"a", "b", "theirs"}
    machine.needs = {"theirs": {"a"}, "a": {"b"}}
    undo = plan_undo(machine.system(), Record(packages=("a", "b")))
    assert commands(undo) == []
    assert undo.stays == ("a: installed packages need it by now", "b: installed packages need it by now")


def test_an_upgrade_is_named_and_stays(machine: Any) -> None:
    undo = plan_undo(machine.system(), Record(changes=(Change("libc6", "2.36", "2.41"), Change("docker.io", "20.10"))))
    assert undo.steps == ()
    assert undo.stays == (
        "libc6 2.36 -> 2.41: apt does not go back to an older version safely",
        "docker.io 20.10 -> removed: apt-get install docker.io brings it back",
    )


def test_files_of_ours_go_unless_they_were_edited(machine: Any) -> None:
    record = Record().and_files({SOURCES: "ours\n", "/etc/apt/preferences.d/gpuaas-parity": "pin\n", "/etc/apt/gone": "x"})
    machine.write(SOURCES, "ours\n")
    machine.write("/etc/apt/preferences.d/gpuaas-parity", "pin\nand more\n")
    undo = plan_undo(machine.system(), record)
    assert commands(undo) == [f"rm -- {SOURCES}"]
    assert undo.stays == ("/etc/apt/preferences.d/gpuaas-parity: it was edited since",)


@pytest.mark.parametrize(
    ("init", "boot", "runs", "command"),
    [
        ("systemd", "b00t", True, "systemctl stop docker.socket docker.service"),
        ("bash", "b00t", True, "start-stop-daemon --stop --pidfile /run/docker.pid --name dockerd --retry 60"),
        ("bash", "an earlier one", True, ""),
        ("bash", "b00t", False, ""),
        ("bash", "", True, ""),
    ],
)
def test_the_engine_is_stopped_if_it_was_started(machine: Any, init: str, boot: str, runs: bool, command: str) -> None:
    machine.write("/proc/sys/kernel/random/boot_id", "b00t\n")
    machine.write("/proc/1/comm", f"{init}\n")
    machine.write("/run/docker.pid", "42")
    machine.write("/proc/42/comm", "dockerd\n" if runs else "nginx\n")
    assert "".join(commands(plan_undo(machine.system(), Record(engine_boot=boot)))) == command


def test_limits_are_lowered_unless_somebody_else_set_them(machine: Any) -> None:
    path = f"/proc/sys/{INSTANCES.replace('.', '/')}"
    machine.write(path, "128\n")
    record = Record().and_limits(machine.system(), {INSTANCES: 512})
    machine.write(path, "512\n")
    assert commands(plan_undo(machine.system(), record)) == [f"sysctl -w {INSTANCES}=128"]
    machine.write(path, "9999\n")
    assert commands(plan_undo(machine.system(), record)) == []


def test_access_to_the_engine_is_withdrawn(machine: Any) -> None:
    machine.write("/etc/group", "docker:x:101:anna,me\n")
    machine.write("/var/run/docker.sock", "")
    record = Record(members=("me",), sockets=("me",))
    wanted = ["gpasswd --delete me docker", "setfacl --remove user:me /var/run/docker.sock"]
    assert commands(plan_undo(machine.system(), record)) == wanted


def test_the_engine_stops_before_its_packages_go_and_those_before_their_sources(machine: Any) -> None:
    machine.installed = {"docker-ce"}
    machine.write("/run/docker.pid", "42")
    machine.write("/proc/42/comm", "dockerd\n")
    machine.write(SOURCES, "ours\n")
    record = Record(packages=("docker-ce",)).and_files({SOURCES: "ours\n"})
    assert [command.split()[0] for command in commands(plan_undo(machine.system(), record))] == ["systemctl", "apt-get", "rm"]


# --- refusals


class Engine:
    """An engine with networks and containers."""

    def __init__(self, networks: list[dict[str, Any]] | None = None, containers: tuple[str, ...] = (), missing: bool = False) -> None:
        self.networks, self.containers, self.missing = networks or [], containers, missing

    def run(self, argv: list[str], **_options: Any) -> Completed:
        if self.missing:
            raise ParityError("COMMAND_MISSING", "cannot start docker")
        if argv[1:3] == ["network", "ls"]:
            return Completed("\n".join(network["Name"] for network in self.networks), "", 0)
        if argv[1] == "inspect" and "network" in argv:
            return Completed(json.dumps(self.networks), "", 0)
        if argv[1] == "ps" and "--quiet" not in argv:
            return Completed("\n".join(self.containers), "", 0)
        return Completed("", "", 0)


OURS = {"Name": "gpuaas-parity", "Labels": {"gpuaas.parity/owner": "x", "gpuaas.parity/state-dir": "/home/me/.parity/kind"}}


def refused(engine: Engine, record: Record) -> str:
    try:
        refuse_while_used(System(runner=engine.run), record, "root")  # type: ignore[arg-type]
    except ParityError as error:
        assert error.reason == "HOST_UNDO_IN_USE"
        return error.seen
    return ""


def test_a_platform_of_ours_that_stands_refuses_it() -> None:
    assert "gpuaas-parity (/home/me/.parity/kind)" in refused(Engine([OURS]), Record(members=("me",)))


def test_containers_of_others_keep_the_engine_that_runs_them() -> None:
    engine = Engine(containers=("a", "b", "c", "d", "e"))
    assert "a, b, c, d and 1 more" in refused(engine, Record(packages=("docker.io",)))
    assert refused(engine, Record(engine_boot="x"))
    assert refused(engine, Record(packages=("mmdebstrap",))) == ""


def test_without_docker_nothing_can_stand() -> None:
    assert refused(Engine(missing=True), Record(packages=("docker.io",))) == ""


@pytest.mark.parametrize(
    ("listed", "refuses"),
    [(Completed("4f1c\n", "", 0), True), (Completed("", "", 0), False), (Completed("", "", 2), False), (Completed("", "", 1), True)],
)
def test_an_engine_that_does_not_run_refuses_it_if_it_keeps_containers(tmp_path: Path, listed: Completed, refuses: bool) -> None:
    def run(argv: list[str], **_options: Any) -> Completed:
        stopped = Completed("", "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.", 1)
        return listed if argv == ["sudo", "-n", "ls", "-A", "/var/lib/docker/containers"] else stopped

    system = System(root=tmp_path, runner=run)  # type: ignore[arg-type]
    refuse_while_used(system, Record(packages=("docker.io",)), "sudo")
    (tmp_path / "var/lib/docker").mkdir(parents=True)
    with pytest.raises(ParityError) if refuses else contextlib.nullcontext() as caught:
        refuse_while_used(system, Record(packages=("docker.io",)), "sudo")
    assert caught is None or caught.value.reason == "HOST_DOCKER_UNREACHABLE"


@pytest.mark.parametrize(("privilege", "begins"), [("root", "rm --"), ("sudo", "sudo -n rm --")])
def test_commands_run_as_root(machine: Any, privilege: str, begins: str) -> None:
    ran: list[str] = []
    system = machine.system()
    machine.write(SOURCES, "ours\n")
    step = plan_undo(system, Record().and_files({SOURCES: "ours\n"})).steps[0]
    object.__setattr__(system, "runner", lambda argv, **_options: ran.append(" ".join(argv)))
    perform(system, step, privilege)
    assert ran[0].startswith(begins)


# --- the role


def test_the_role_records_each_change_before_it_makes_it() -> None:
    changing = (
        "ansible.builtin.copy",
        "ansible.builtin.command",
        "ansible.builtin.user",
        "ansible.builtin.systemd_service",
    )
    for name in ("install", "start", "grant", "limits"):
        tasks = yaml.safe_load((CHECKOUT / f"roles/host/tasks/{name}.yml").read_text(encoding="utf-8"))
        modules = [module for task in flat(tasks) for module in task if "." in module]
        first = min(modules.index(module) for module in changing if module in modules)
        assert "gpuaas.parity.host_record" in modules[:first], name


def flat(tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Tasks in their order, those of blocks in the place of the block."""
    return [inner for task in tasks for inner in (flat(task["block"]) if "block" in task else [task])]
