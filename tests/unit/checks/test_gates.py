"""Gates: the file, its page, what is picked, and that nothing which was not made is green."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.catalog import checks_files, collect
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Check, Result
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.render import render
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._gates.gates import (
    GATES,
    EqualMeaning,
    Gates,
    load_gates,
    made,
    none_made,
    pick,
)
from ansible_collections.gpuaas.parity.tests.unit.checks.conftest import MakeContext

ROOT = Path(__file__).resolve().parents[3]
EQUAL = EqualMeaning(ROOT / "contract", ROOT / "roles", "core")


@pytest.fixture(scope="module")
def gates() -> Gates:
    return load_gates(ROOT / "contract")


@pytest.fixture(scope="module")
def checks() -> list[Check]:
    core = dict(render(ROOT / "contract", "kind", "core", ROOT / "roles").contract)
    return collect(core, checks_files(ROOT / "roles", core))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A copy of the contract's directory, to be spoilt."""
    copy = tmp_path / "contract"
    shutil.copytree(ROOT / "contract", copy)
    return copy


def _edit(directory: Path, **changes: Any) -> None:
    """Change the second validation of gates.yml; None takes a key away."""
    document = yaml.safe_load((directory / "gates.yml").read_text())
    merged = {**document["validations"][1], **changes}
    document["validations"][1] = {key: value for key, value in merged.items() if value is not None}
    (directory / "gates.yml").write_text(yaml.safe_dump(document))


# -- the file ---------------------------------------------------------------------------


def test_every_check_of_the_mode_is_gated_or_named_as_not(gates: Gates, checks: list[Check]) -> None:
    gated = {name for validation in gates.validations for name in validation.checks}
    assert gated | set(gates.ungated) == {check.id for check in checks}
    assert {validation.mode for validation in gates.validations} == {"", "kind"}


def test_a_deploy_demands_what_a_merge_demands_and_more(gates: Gates) -> None:
    merge, deploy = ([validation.name for validation in gates.before(gate)] for gate in GATES)
    assert set(merge) < set(deploy)
    assert "one-meaning" in merge
    assert "images" in set(deploy) - set(merge)


@pytest.mark.parametrize(
    "changes",
    [
        {"before": ["merge"]},
        {"before": ["release"]},
        {"why": None},
        {"checks": []},
        {"checks": None},
        {"mode": None},
        {"equal": "all modes"},
        {"equal": "some modes", "mode": None, "checks": None},
        {"cheks": ["web-entry"]},
        {"checks": ["web-login"]},
        {"name": "tls"},
        {"says": "one | two"},
    ],
)
def test_a_file_that_cannot_be_used(directory: Path, changes: dict[str, Any]) -> None:
    _edit(directory, **changes)
    with pytest.raises(ParityError) as caught:
        load_gates(directory)
    assert caught.value.reason == "GATE_INVALID"
    assert "gates.yml" in caught.value.seen


def test_a_file_that_is_no_yaml_or_not_there(directory: Path) -> None:
    (directory / "gates.yml").write_text("gates: [")
    with pytest.raises(ParityError, match="GATE_INVALID"):
        load_gates(directory)
    (directory / "gates.yml").unlink()
    with pytest.raises(ParityError, match="CONTRACT_UNREADABLE"):
        load_gates(directory)


# -- its page -----------------------------------------------------------------------------


def _rows(heading: str) -> Iterator[list[str]]:
    page = (ROOT / "docs" / "gates.md").read_text(encoding="utf-8")
    for line in page.partition(heading)[2].partition("\n\n")[0].splitlines()[2:]:
        yield [cell.strip() for cell in line.strip("|").split("|")]


def test_the_page_says_what_the_file_says(gates: Gates) -> None:
    told = {row[0]: row[1:] for row in _rows("\n| validation |")}
    assert list(told) == [validation.name for validation in gates.validations]
    for one in gates.validations:
        says, what, mode, before, why = told[one.name]
        assert (says, before, why) == (one.says, ", ".join(one.before), one.why)
        assert (tuple(re.findall(r"`([a-z0-9-]+)`", what)), mode) == (one.checks, one.mode or "none")
        assert bool(one.checks) or what == "equality of all modes"
    assert {row[0].strip("`"): row[1] for row in _rows("\n| check |")} == gates.ungated


# -- what is picked -------------------------------------------------------------------------


@pytest.mark.parametrize("gate", GATES)
def test_exactly_the_gates_checks_are_picked(gates: Gates, checks: list[Check], gate: str) -> None:
    picked = [check.id for check in pick(gates, gate, checks, "kind", EQUAL)]
    assert picked[0] == "one-meaning"
    demanded = {name for validation in gates.before(gate) for name in validation.checks}
    assert set(picked[1:]) == demanded
    assert len(picked) == len(demanded) + 1
    assert not set(gates.ungated) & set(picked)


def test_a_check_that_does_not_exist(gates: Gates, checks: list[Check]) -> None:
    with pytest.raises(ParityError) as caught:
        pick(gates, "merge", [check for check in checks if check.id != "web-login"], "kind", EQUAL)
    assert caught.value.reason == "GATE_UNKNOWN_CHECK"
    assert "web-login" in caught.value.seen


def test_a_gate_is_not_passed_in_another_mode(gates: Gates, checks: list[Check]) -> None:
    with pytest.raises(ParityError) as caught:
        pick(gates, "merge", checks, "compose", EQUAL)
    assert caught.value.reason == "GATE_WRONG_MODE"
    assert "kind-parity-up" in caught.value.do


# -- that all of it was made ----------------------------------------------------------------


def test_what_was_not_made_has_failed(checks: list[Check]) -> None:
    two = checks[:2]
    held = Result(two[0], True, "fine", "", "", 0.1, 1)
    never = Result(two[1], True, "not looked at", "", "", 0.0, 0)
    assert made(two, [held])[0] is held
    for results in ([held], [held, never]):
        missing = made(two, results)[1]
        assert (missing.ok, missing.reason, missing.check) == (False, "GATE_NOT_RUN", two[1])


def test_when_nothing_could_begin_every_check_says_why(checks: list[Check]) -> None:
    found = none_made(checks, ParityError("CLUSTER_ABSENT", "no kubeconfig"))
    assert len(found) == len(checks)
    assert {(result.ok, result.reason, result.seen, result.do) for result in found} == {
        (False, "GATE_NOT_RUN", "CLUSTER_ABSENT: no kubeconfig", "{up}")
    }


# -- equality ---------------------------------------------------------------------------------


def test_all_modes_mean_the_same(make_context: MakeContext) -> None:
    found = EQUAL.run(make_context())
    assert found.ok
    for mode in ("compose", "kind", "platform_control", "vm-105"):
        assert mode in found.seen


def test_modes_that_differ_in_meaning(make_context: MakeContext, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ansible_collections.gpuaas.parity.plugins.module_utils._contract.compare.compare import MEANING, Difference
    from ansible_collections.gpuaas.parity.plugins.module_utils._gates import gates as module

    monkeypatch.setattr(module, "compare", lambda *_: [Difference(MEANING, "services.api.settings.X", "1", "2")])
    with pytest.raises(ParityError, match=r"CONTRACT_MEANING_DIFFERS: services\.api\.settings\.X"):
        EqualMeaning(directory, ROOT / "roles", "core").run(make_context())


def test_one_mode_alone_proves_nothing(make_context: MakeContext, directory: Path) -> None:
    for file in (directory / "modes").glob("*.yml"):
        if file.stem != "kind":
            file.unlink()
    found = EqualMeaning(directory, ROOT / "roles", "core").run(make_context())
    assert (found.ok, found.reason) == (False, "GATE_NOT_RUN")
