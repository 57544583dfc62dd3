# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to type is a template, filled with the commands of the mode at hand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._advice import VERBS, Commands
from ansible_collections.gpuaas.parity.plugins.module_utils._reasons import REASONS

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ("compose", "make local-dev-logs; or make local-dev-up"),
        ("kubernetes", "make kind-parity-logs; or make kind-parity-up"),
        ("gitops", "make kind-parity-logs; or make kind-parity-up"),
        ("", "make kind-parity-logs; or make kind-parity-up"),
    ],
)
def test_each_mode_has_its_own_commands(target: str, text: str) -> None:
    assert Commands(target).fill("{logs}; or {up}") == text


def test_a_rotation_names_the_mode_that_it_is_for() -> None:
    assert Commands("compose").fill("{rotate} NAME=a; then") == "make parity-secrets-rotate MODE=compose NAME=a; then"
    assert Commands("kubernetes").fill("{rotate} NAME=a") == "make parity-secrets-rotate NAME=a"


def test_an_instance_and_a_platform_are_said() -> None:
    assert Commands("kubernetes", "demo", "my platform").of("up") == "make kind-parity-up INSTANCE=demo PLATFORM='my platform'"
    assert Commands("compose", "demo").of("down") == "make local-dev-down INSTANCE=demo"


def test_where_the_collection_is_installed_there_is_no_make() -> None:
    installed = Commands("kubernetes", "", "platform", with_make=False)
    assert installed.fill("{up}, then") == "ansible-playbook gpuaas.parity.up -e platform=platform, then"
    assert Commands("compose", with_make=False).of("logs") == "ansible-playbook gpuaas.parity.logs -e mode=compose"


@pytest.mark.parametrize("text", ["make kind-parity-up", 'it said {"up": 1} and {{.Name}} and {upper}', "{", ""])
def test_nothing_else_is_touched(text: str) -> None:
    assert Commands("compose").fill(text) == text


def test_every_command_is_a_target_of_make() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for target in ("compose", "kubernetes"):
        assert {Commands(target).of(verb).split()[1] for verb in VERBS} <= targets


def test_only_verbs_are_named_in_braces() -> None:
    named = {verb for reason in REASONS.values() for verb in re.findall(r"\{(\w*)\}", reason.do)}
    assert named <= set(VERBS)


def test_what_is_to_be_done_in_kind_stays_so() -> None:
    for reason in ("MODE_VERB_REFUSED", "MODE_TARGET_REFUSED", "GATE_WRONG_MODE"):
        assert "local-dev" not in Commands("compose").fill(REASONS[reason].do)


def test_no_text_of_a_mode_of_its_own_choice_names_the_command_of_another() -> None:
    named = re.compile(r"make (?:kind-parity|local-dev)-")
    found = {path.name for path in (ROOT / "plugins" / "module_utils").rglob("*.py") if named.search(path.read_text(encoding="utf-8"))}
    assert found == {"_reasons.py"}
    # Those of one mode alone, and those that send to kind.
    assert {name.partition("_")[0] for name, reason in REASONS.items() if named.search(reason.do)} == {"LOCAL", "PROJECT", "GATE"}
