# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Docker comes from the machine's own suite, else from Docker's own archive if that answers, else from the next suite."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._host.checks import Needs
from ansible_collections.gpuaas.parity.plugins.module_utils._host.origin import KEYRING, choose
from ansible_collections.gpuaas.parity.plugins.module_utils._host.plan import Plan, plan
from ansible_collections.gpuaas.parity.plugins.module_utils._host.preflight import preflight
from ansible_collections.gpuaas.parity.plugins.module_utils._host.upgrades import simulate

ARCHIVE = "https://docker.example/linux"
KEY, RELEASE = f"{ARCHIVE}/debian/gpg", f"{ARCHIVE}/debian/dists/bookworm/Release"
ANSWERS = {KEY: "-----BEGIN PGP PUBLIC KEY BLOCK-----\n", RELEASE: "Suite: bookworm\n"}
OWN = "deb https://mirror.example/debian bookworm main\n"


def planned(machine: Any, *, compose: bool = False) -> Plan:
    """What a machine without Docker is to get."""
    machine.docker = False
    found = preflight(machine.system(), Needs("gpuaas-parity", compose=compose))
    return plan(machine.system(), found.facts, found.problems)


@pytest.fixture
def old(machine: Any) -> Any:
    """A Debian 12, whose own Docker is too old."""
    machine.write("/etc/apt/sources.list", OWN)
    return machine


def test_the_own_suite_is_taken_where_it_is_new_enough(machine: Any) -> None:
    machine.answers = ANSWERS
    wanted = planned(machine)
    assert choose(machine.system(), wanted, ARCHIVE) == wanted
    assert wanted.origin == "the machine's own suite"
    assert not any("apt-helper" in call for call in machine.calls)


def test_dockers_own_archive_is_taken_where_it_answers(old: Any) -> None:
    old.answers = ANSWERS
    found = choose(old.system(), planned(old, compose=True), ARCHIVE)
    assert found.packages == ("docker-ce", "containerd.io", "docker-buildx-plugin", "docker-compose-plugin", "docker-ce-cli")
    assert (found.suite, found.preferences, found.keyring) == ("", "", ANSWERS[KEY])
    assert found.origin == "Docker's own archive"
    assert found.sources.splitlines()[1:4] == [f"URIs: {ARCHIVE}/debian", "Suites: bookworm", "Components: stable"]


def test_only_dockers_own_key_vouches_for_its_archive(old: Any) -> None:
    old.answers = ANSWERS
    signed_by = choose(old.system(), planned(old), ARCHIVE).sources.splitlines()[-1]
    assert signed_by == f"Signed-By: {KEYRING} 9DC858229FC7DD38854AE2D88D81803C0EBFCD88"


@pytest.mark.parametrize("lacks", [KEY, RELEASE])
def test_the_next_suite_is_taken_where_it_does_not(old: Any, lacks: str) -> None:
    old.answers = {uri: text for uri, text in ANSWERS.items() if uri != lacks}
    wanted = planned(old)
    assert choose(old.system(), wanted, ARCHIVE) == wanted
    assert (wanted.suite, wanted.origin) == ("trixie", "trixie of the archive it already uses")


def test_no_archive_is_asked_where_none_is_named(old: Any) -> None:
    old.answers = ANSWERS
    wanted = planned(old)
    assert choose(old.system(), wanted, "") == wanted


def test_an_archive_that_apt_has_already_is_not_added_again(old: Any) -> None:
    old.write("/etc/apt/sources.list.d/docker.list", f"deb [signed-by=/etc/apt/keyrings/docker.asc] {ARCHIVE}/debian bookworm stable\n")
    found = choose(old.system(), planned(old), ARCHIVE)
    assert found.packages[0] == "docker-ce"
    assert (found.sources, found.keyring, found.suite) == ("", "", "")


def test_an_engine_that_is_there_gets_its_buildx_from_the_same_suite(old: Any) -> None:
    old.answers, old.info["ClientInfo"] = ANSWERS, {"Plugins": []}
    found = preflight(old.system(), Needs("gpuaas-parity"))
    wanted = plan(old.system(), found.facts, found.problems)
    assert choose(old.system(), wanted, ARCHIVE).packages == ("docker-buildx",)


def test_the_key_is_known_to_the_simulation_without_being_installed(old: Any) -> None:
    old.answers = ANSWERS
    simulate(old.system(), choose(old.system(), planned(old), ARCHIVE))
    sources = old.beside["sources.list.d/gpuaas-parity.sources"]
    assert KEYRING not in sources and "/keyring.asc 9DC8" in sources
    assert not (old.root / KEYRING.lstrip("/")).exists()
