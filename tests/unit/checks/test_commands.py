# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A component's own commands: which there are, and what is run."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine import commands
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.commands import Command, choose, run
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Context
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.component import Component
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Completed
from ansible_collections.gpuaas.parity.tests.unit.contract.reference import PLATFORM

COMPONENTS = cast(
    dict[str, Component],
    {
        "worker": SimpleNamespace(
            commands={
                "letters": {"means": "Show", "command": ["tool", "letters"], "value": ["--again"]},
                "fill": {"means": "Fill", "command": ["tool", "fill"]},
            }
        ),
        "elsewhere": SimpleNamespace(commands={"other": {"means": "Other", "command": ["tool"]}}),
    },
)
CONTRACT: dict[str, Any] = {"lane": "small", "services": {"worker": {}, "provided": {}}}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("letters", "", ("tool", "letters")),
        ("letters", "12", ("tool", "letters", "--again", "12")),
        ("fill", "", ("tool", "fill")),
    ],
)
def test_a_command_is_found_by_its_name(name: str, value: str, words: tuple[str, ...]) -> None:
    assert choose(COMPONENTS, {}, CONTRACT, name, value) == Command("worker", words)


def test_one_that_the_lane_has_not_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ParityError, match="'other'; there are: fill, letters") as refused:
        choose(COMPONENTS, {}, CONTRACT, "other", "")
    assert refused.value.reason == "COMMAND_UNKNOWN"
    assert "=1" not in refused.value.do


def test_one_that_an_option_brings_is_refused_with_that_option() -> None:
    with pytest.raises(ParityError) as refused:
        choose(COMPONENTS, {"more": ["elsewhere"]}, CONTRACT, "other", "")
    assert refused.value.do.endswith(" MORE=1")


def test_a_value_that_it_does_not_take_is_refused() -> None:
    with pytest.raises(ParityError) as refused:
        choose(COMPONENTS, {}, CONTRACT, "fill", "all")
    assert refused.value.reason == "VARIABLE_INVALID"


def test_no_name_stands_for_two_commands() -> None:
    names = [name for component in PLATFORM.components.values() for name in component.commands]
    assert len(names) == len(set(names)) > 0


def running(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, done: Completed) -> Context:
    monkeypatch.setattr(commands, "run_inside", lambda *_given: ("pod worker-1", done))
    (tmp_path / "secrets").mkdir()
    return cast(Context, SimpleNamespace(state_dir=tmp_path))


def test_what_it_prints_is_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    context = running(monkeypatch, tmp_path, Completed("one\ntwo\n", "", 0))
    assert run(context, Command("worker", ("tool",))) == ["one", "two"]


def test_one_that_fails_says_where_and_how(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    context = running(monkeypatch, tmp_path, Completed("", "no such letter\n", 1))
    with pytest.raises(ParityError, match="tool in pod worker-1 ended with 1: no such letter") as failed:
        run(context, Command("worker", ("tool",)))
    assert failed.value.reason == "EXEC_FAILED"
