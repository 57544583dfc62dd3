# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A value that no run could use is refused before a lock, a step or a bundle, with the values that there are."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import load_platform
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._gates.gates import GATES
from ansible_collections.gpuaas.parity.plugins.module_utils._run import given as given_module
from ansible_collections.gpuaas.parity.plugins.module_utils._run.given import check_given, check_path

ROOT = Path(__file__).parents[3]
PLATFORM = ROOT / "platform"
PLAYBOOKS = sorted(path for path in (ROOT / "playbooks").glob("*.yml"))


def refused(state: Path, instance: str = "", mode: str = "kind", platform: Path = PLATFORM, **given: str) -> ParityError:
    with pytest.raises(ParityError) as caught:
        check_given(platform, mode, instance, state, given)
    return caught.value


@pytest.mark.parametrize(
    ("name", "value", "reason", "named"),
    [
        ("OUTPUT", "xml", "VARIABLE_INVALID", "text, json"),
        ("IMAGES_SOURCE", "x", "VARIABLE_INVALID", "auto, build, pull"),
        ("TIER", "x", "VARIABLE_INVALID", "local, ci, staging"),
        ("GATE", "x", "VARIABLE_INVALID", "merge, deploy"),
        ("HOST_UPGRADE", "maybe", "VARIABLE_INVALID", "yes, no"),
        ("FOLLOW", "x", "VARIABLE_INVALID", "yes, no"),
        ("CONFIRM", "x", "VARIABLE_INVALID", "yes, no"),
        ("LANE", "x", "CONTRACT_UNKNOWN_LANE", "core"),
        ("MODE", "x", "CONTRACT_UNKNOWN_MODE", "compose, kind"),
        ("MODE", "kind,x", "CONTRACT_UNKNOWN_MODE", "compose, kind"),
        ("OWN_MODE", "x", "CONTRACT_UNKNOWN_MODE", "compose, kind"),
        ("OWN_MODE", "compose", "VARIABLE_INVALID", "for mode kind"),
        ("A", "x", "CONTRACT_UNKNOWN_MODE", "compose, kind"),
        ("B", "x", "CONTRACT_UNKNOWN_MODE", "compose, kind"),
        ("OPTIONS", "traces=maybe", "VARIABLE_INVALID", "TRACES='maybe'; there are: yes, no"),
        ("OPTIONS", "traces", "VARIABLE_INVALID", "TRACES=''; there are: yes, no"),
        ("OPTIONS", "metrics=1", "VARIABLE_INVALID", "METRICS='1': the platform has no such option; there are: TRACES"),
        # A source of secrets is no switch.
        ("OPTIONS", "infisical=1", "VARIABLE_INVALID", "INFISICAL='1': the platform has no such option; there are: TRACES"),
        ("SECRETS", "vault", "VARIABLE_INVALID", "SECRETS='vault'; there are: files, infisical"),
        ("SECRETS", "traces", "VARIABLE_INVALID", "SECRETS='traces'; there are: files, infisical"),
        ("SECURITY", "prod", "VARIABLE_INVALID", "PROD, STAGING, LOCAL"),
        ("SECURITY", "PROD ", "VARIABLE_INVALID", "PROD, STAGING, LOCAL"),
        ("PROJECT", "a b", "VARIABLE_INVALID", "is not one word"),
        ("INSTANCE_ID", "mine", "VARIABLE_INVALID", "a UUID"),
        ("NAME", "x", "SECRET_UNKNOWN", "redis_password"),
        ("SEED", "/nowhere", "SEED_MISSING", "/nowhere"),
        ("VALUE_FILE", "/nowhere", "SECRET_VALUE_MISSING", "/nowhere"),
    ],
)
def test_a_bad_value_is_refused_with_those_that_there_are(tmp_path: Path, name: str, value: str, reason: str, named: str) -> None:
    error = refused(tmp_path, **{name: value})
    assert (error.reason, named in error.seen) == (reason, True), error.seen


def test_what_the_run_is_about_is_checked_too(tmp_path: Path) -> None:
    assert refused(tmp_path, instance="Bad_Name").reason == "INSTANCE_INVALID"
    assert refused(tmp_path, platform=tmp_path / "none").reason == "PLATFORM_MISSING"
    assert refused(tmp_path, mode="x").reason == "CONTRACT_UNKNOWN_MODE"


def test_good_values_pass(tmp_path: Path) -> None:
    seed = tmp_path / "seed"
    seed.write_text("x")
    given = {"OUTPUT": "json", "LANE": "core", "TIER": "ci", "SEED": str(seed), "NAME": "redis_password", "MODE": "kind,compose"}
    given |= {
        "OPTIONS": "traces=1",
        "SECURITY": "PROD",
        "SECRETS": "infisical",
        "INSTANCE_ID": "0190b7c1-62f5-7c7a-9ee1-7f6ac3d9b001",
        "PROJECT": "atlas",
    }
    check_given(PLATFORM, "kind", "demo", tmp_path, {**given, "OWN_MODE": "kind", "FOLLOW": "False", "GATE": "", "A": "kind"})


def test_what_looks_at_the_machine_does_not_need_a_platform(tmp_path: Path) -> None:
    check_given(tmp_path / "none", "", "", tmp_path, {"LANE": "core", "MODE": "kind", "NAME": "x"})


@pytest.mark.parametrize(("path", "named"), [("/a b", "a space"), ("/ü", "ü"), ("/a$b", "$"), ("/a:b", ":"), ("/a,b", ",")])
def test_a_path_that_docker_cannot_take_is_refused_by_name(path: str, named: str) -> None:
    with pytest.raises(ParityError) as caught:
        check_path(Path(path))
    assert (caught.value.reason, caught.value.seen) == ("PATH_UNUSABLE", f"the path {path} contains {named}")


@pytest.mark.parametrize("name", ["with space", "ümlaut"])
def test_a_checkout_at_such_a_path_is_refused_before_anything_is_installed(tmp_path: Path, name: str) -> None:
    checkout = tmp_path / name
    (checkout / "requirements").mkdir(parents=True)
    for file in ("Makefile", "requirements/venv.sh", "requirements/runtime.txt"):
        shutil.copy(ROOT / file, checkout / file)
    done = subprocess.run(["make", "kind-parity-up"], cwd=checkout, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "PATH_UNUSABLE" in done.stderr and str(checkout) in done.stderr
    assert not (checkout / ".venv").exists()


def test_every_variable_of_make_is_checked() -> None:
    variables = set(re.findall(r"\$\(if \$\(([A-Z_]+)\),-e ", (ROOT / "Makefile").read_text(encoding="utf-8")))
    checked = {*given_module._FIXED, *given_module._CHECKS, "INSTANCE", "PLATFORM"}
    contract = load_platform(PLATFORM).contract
    options = {name.upper() for name in contract.options if name not in contract.sources}
    # The components are those of what was rendered; `logs` names them, and locks nothing.
    assert variables - checked == {"COMPONENT", *options}
    run = yaml.safe_load((ROOT / "playbooks/vars/run.yml").read_text(encoding="utf-8"))
    assert set(run["parity_given"]) == {*given_module._FIXED, *given_module._CHECKS, "OWN_MODE"}
    assert given_module._FIXED["GATE"] == GATES


@pytest.mark.parametrize("playbook", PLAYBOOKS, ids=lambda path: path.stem)
def test_it_is_the_first_step_of_every_playbook(playbook: Path) -> None:
    first = yaml.safe_load(playbook.read_text(encoding="utf-8"))[0]["tasks"][0]
    assert first["ansible.builtin.import_tasks"] == "tasks/given.yml"


@pytest.mark.parametrize("verb", ["up", "validate", "rotate"])
def test_nothing_is_left_of_a_refused_run(tmp_path: Path, verb: str) -> None:
    state = tmp_path / "parity" / "kind"
    command = [Path(sys.executable).with_name("ansible-playbook"), ROOT / f"playbooks/{verb}.yml", "-i", ROOT / "inventories/kind"]
    done = subprocess.run(
        [*command, "-e", f"parity_state_dir={state}", "-e", "parity_lane=x"],
        env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_LOCAL_TEMP": str(tmp_path / "ansible")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "CONTRACT_UNKNOWN_LANE" in done.stdout + done.stderr
    assert not state.parent.exists()


def test_a_mode_that_there_is_not_is_not_taken_for_another(tmp_path: Path) -> None:
    """An inventory that does not exist would leave Ansible with localhost, and the run with the default mode."""
    done = subprocess.run(
        ["make", "--dry-run", "--assume-old=.venv/runtime", "parity-secrets-rotate", "MODE=x", "NAME=a"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    inventories = re.findall(r"-i (\S+)", done.stdout)
    assert [(ROOT / name).is_dir() for name in inventories] == [True]
    assert "-e mode='x'" in done.stdout
