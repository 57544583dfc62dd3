# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be changed on a machine, and from which archive."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.gpuaas.parity.plugins.module_utils._host.apt import base_archive
from ansible_collections.gpuaas.parity.plugins.module_utils._host.checks import Needs
from ansible_collections.gpuaas.parity.plugins.module_utils._host.plan import Plan, plan
from ansible_collections.gpuaas.parity.plugins.module_utils._host.preflight import preflight

CHECKOUT = Path(__file__).resolve().parents[3]
KEYRING = "/usr/share/keyrings/archive.gpg"
DEB822 = f"""\
Types: deb
# a comment
URIs: https://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: {KEYRING}

Types: deb
URIs: https://mirror.example/debian-security
Suites: bookworm-security
Components: main
"""


def planned(machine: Any, **needs: Any) -> Plan:
    found = preflight(machine.system(), Needs("gpuaas-parity", **needs))
    return plan(machine.system(), found.facts, found.problems)


def test_a_healthy_machine_is_left_alone(machine: Any) -> None:
    assert planned(machine) == Plan()


def test_debian_13_has_a_docker_of_its_own(machine: Any) -> None:
    machine.docker, machine.programs = False, {}
    found = planned(machine)
    assert found.packages == ("docker.io", "docker-buildx", "docker-cli")
    assert found.plain_packages == ("mmdebstrap",)
    assert found.suite == "" and found.sources == ""


def test_debian_12_gets_the_next_suite_of_its_own_archive(machine: Any) -> None:
    machine.docker, machine.programs = False, {"mmdebstrap": "/usr/bin/mmdebstrap"}
    machine.write("/etc/apt/sources.list.d/debian.sources", DEB822)
    found = planned(machine)
    assert found.suite == "trixie" and "docker-cli" in found.packages
    assert found.sources == (f"Types: deb\nURIs: https://mirror.example/debian\nSuites: trixie\nComponents: main\nSigned-By: {KEYRING}\n")


def test_an_old_engine_of_the_distribution_is_replaced(machine: Any) -> None:
    machine.info["ServerVersion"] = "20.10.24"
    assert "docker.io" in planned(machine).packages


def test_an_engine_of_another_origin_is_not(machine: Any) -> None:
    machine.info["ServerVersion"] = "20.10.24"
    machine.programs["dockerd"] = "/usr/bin/dockerd"
    assert planned(machine).packages == ()


def test_a_client_without_an_engine_gets_one(machine: Any) -> None:
    machine.info, machine.info_stderr = None, "Cannot connect to the Docker daemon"
    machine.programs.pop("dockerd")
    found = planned(machine, build=False)
    assert "docker.io" in found.packages and not found.start


def test_an_engine_that_does_not_run_is_started(machine: Any) -> None:
    machine.info, machine.info_stderr = None, "Cannot connect to the Docker daemon"
    found = planned(machine, build=False)
    assert found.start and found.packages == ()


def test_a_remote_engine_is_nothing_to_repair_here(machine: Any) -> None:
    machine.info, machine.info_stderr = None, "Cannot connect to the Docker daemon"
    machine.endpoint = "ssh://build.example"
    assert planned(machine) == Plan()


def test_without_privilege_nothing_is_planned(machine: Any) -> None:
    machine.docker, machine.uid, machine.sudo_rc = False, 1000, 1
    machine.programs = {"sudo": "/usr/bin/sudo"}
    assert planned(machine) == Plan()
    machine.sudo_rc = 0
    assert planned(machine).packages


def test_another_family_is_only_started_and_tuned(machine: Any) -> None:
    machine.write("/etc/os-release", "ID=fedora\nVERSION_ID=43\n")
    machine.info, machine.info_stderr = None, "Cannot connect to the Docker daemon"
    machine.write("/proc/sys/fs/inotify/max_user_watches", "8192\n")
    assert planned(machine, build=False) == Plan(start=True, raise_limits=True)


def test_ubuntu_has_no_package_for_the_client(machine: Any) -> None:
    machine.write("/etc/os-release", 'ID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"\n')
    machine.docker = False
    assert planned(machine).packages == ("docker.io", "docker-buildx")


def test_a_user_whom_the_engine_refuses_can_be_granted(machine: Any) -> None:
    machine.info, machine.info_stderr = None, "permission denied while trying to connect to the Docker daemon"
    machine.uid, machine.programs["sudo"] = 1000, "/usr/bin/sudo"
    assert planned(machine, build=False) == Plan(grant=True)


@pytest.mark.parametrize(
    ("path", "text", "uri", "signed_by"),
    [
        ("sources.list", "deb https://m.example/debian bookworm main\n", "https://m.example/debian", ""),
        (
            "sources.list.d/a.list",
            f"# x\ndeb [arch=amd64 signed-by={KEYRING}] https://m.example/debian bookworm main contrib # y\n",
            "https://m.example/debian",
            KEYRING,
        ),
        ("sources.list.d/a.sources", DEB822, "https://mirror.example/debian", KEYRING),
        (
            "sources.list.d/a.sources",
            "Types: deb\nURIs: https://m.example/debian\nSuites: bookworm\nSigned-By:\n -----BEGIN PGP\n",
            "https://m.example/debian",
            "",
        ),
    ],
)
def test_the_archive_is_read_from_the_machine(machine: Any, path: str, text: str, uri: str, signed_by: str) -> None:
    machine.write(f"/etc/apt/{path}", text)
    found = base_archive(machine.system(), "bookworm")
    assert found is not None and (found.uri, found.signed_by) == (uri, signed_by)


@pytest.mark.parametrize(
    "text",
    [
        "Types: deb-src\nURIs: https://m.example/debian\nSuites: bookworm\n",
        "Types: deb\nEnabled: no\nURIs: https://m.example/debian\nSuites: bookworm\n",
        "Types: deb\nURIs: https://m.example/debian\nSuites: bookworm-security\n",
        "garbage",
        "",
    ],
)
def test_what_is_not_the_base_archive_is_passed_over(machine: Any, text: str) -> None:
    machine.write("/etc/apt/sources.list.d/a.sources", text)
    assert base_archive(machine.system(), "bookworm") is None


@pytest.mark.parametrize(("given", "installs"), [("false", False), ("no", False), ("true", True), (True, True)])
def test_each_change_can_be_forbidden_as_the_role_says(given: object, installs: bool) -> None:
    """`-e host_install_docker=false` gives a text, which a condition does not take for what it says."""
    tasks = yaml.safe_load((CHECKOUT / "roles/host/tasks/mend.yml").read_text(encoding="utf-8"))
    spec = yaml.safe_load((CHECKOUT / "roles/host/meta/argument_specs.yml").read_text(encoding="utf-8"))
    settings = {name for name in spec["argument_specs"]["main"]["options"] if re.match("host_(install|start|grant|raise)_", name)}
    conditions = [when for task in tasks for when in task.get("when", ()) if when.split()[0] in settings]
    assert len(conditions) == len(settings) == 4
    templar = Templar(loader=DataLoader(), variables=dict.fromkeys(settings, given))
    assert {templar.evaluate_conditional(trust_as_template(when)) for when in conditions} == {installs}


@pytest.mark.parametrize(("started", "wait"), [({"msg": "Unit docker.service is masked."}, 0), ({"state": "started"}, 60)])
def test_an_engine_that_systemd_cannot_start_is_told_with_a_reason_and_not_awaited(started: dict[str, str], wait: int) -> None:
    found = yaml.safe_load((CHECKOUT / "roles/host/tasks/start.yml").read_text(encoding="utf-8"))
    (task,) = (task for block in found for task in block.get("block", ()) if "ansible.builtin.systemd_service" in task)
    assert task["failed_when"] is False
    variables = yaml.safe_load((CHECKOUT / "roles/host/vars/main.yml").read_text(encoding="utf-8"))
    templar = Templar(loader=DataLoader(), variables={task["register"]: started, "host_wait_seconds": 60})
    assert int(templar.template(trust_as_template(variables["__host_wait"]))) == wait
