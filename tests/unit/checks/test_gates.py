"""Gates: the file, which checks belong to it, what is picked, and that nothing which was not made is green."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.catalog import collect
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Check, Result
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import load_platform
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.render import render_mode
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
from ansible_collections.gpuaas.parity.tests.unit.checks.written import entry, small_platform

REFERENCE = load_platform(Path(__file__).resolve().parents[3] / "platform")
LANES = list(REFERENCE.contract.lanes)


@pytest.fixture(scope="module")
def gates() -> Gates:
    return load_gates(REFERENCE)


@pytest.fixture(scope="module", params=LANES)
def lane(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def checks(lane: str) -> list[Check]:
    return collect(REFERENCE, dict(render_mode(REFERENCE, REFERENCE.mode("kind"), lane).contract))


READINESS = {"says": "It is ready", "why": "It was not", "before": ["merge", "deploy"], "mode": "kind"}


def small(folder: Path, *api: dict[str, Any], **validations: Any) -> Path:
    """A platform with these validations, whose component has these checks; None takes a key of readiness away."""
    changed = {key: value for key, value in {**READINESS, **validations.pop("readiness", {})}.items() if value is not None}
    document = {"gates": 1, "validations": {"readiness": changed, **validations}}
    return small_platform(folder, [entry(), *api], gates=document)


def refused(folder: Path) -> str:
    with pytest.raises(ParityError) as caught:
        load_gates(load_platform(folder))
    assert caught.value.reason == "GATE_INVALID"
    return caught.value.seen


# -- the file ---------------------------------------------------------------------------


def test_every_check_belongs_to_a_validation_or_says_why_not(gates: Gates, checks: list[Check]) -> None:
    named = {validation.name for validation in gates.validations}
    ungated = {one.id for one in gates.ungated}
    assert all((check.gate in named) != (check.id in ungated) for check in checks)
    assert {validation.mode for validation in gates.validations} == {"", "kind"}
    assert all(bool(validation.checks) == bool(validation.mode) for validation in gates.validations)


def test_a_deploy_demands_what_a_merge_demands_and_more(gates: Gates) -> None:
    merge, deploy = ([validation.name for validation in gates.before(gate)] for gate in GATES)
    assert set(merge) < set(deploy)
    assert "one-meaning" in merge
    assert "images" in set(deploy) - set(merge)


@pytest.mark.parametrize(
    ("changes", "seen"),
    [
        ({"before": ["merge"]}, "validations.readiness.before"),
        ({"before": ["release"]}, "validations.readiness.before"),
        ({"why": None}, "lacks why"),
        ({"mode": None}, "either mode or equal"),
        ({"equal": "all modes"}, "either mode or equal"),
        ({"equal": "some modes", "mode": None}, "the words all modes"),
        ({"checks": ["api-ready"]}, "checks"),
        ({"says": "one | two"}, "validations.readiness.says"),
        ({"mode": "kindd"}, "is proved in the mode kindd, which there is not"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, changes: dict[str, Any], seen: str) -> None:
    text = refused(small(tmp_path / "small", readiness=changes))
    assert seen in text
    assert "small/gates.yml" in text or "api/checks.yml" in text


def test_a_file_that_is_no_yaml(tmp_path: Path) -> None:
    folder = small(tmp_path / "small")
    (folder / "gates.yml").write_text("gates: [")
    assert "small/gates.yml" in refused(folder)


# -- which checks belong to it ----------------------------------------------------------------


def test_checks_say_which_validation_they_belong_to(tmp_path: Path) -> None:
    free = entry(id="api-free", gate=None, ungated="about the machine")
    found = load_gates(load_platform(small(tmp_path / "small", entry(id="api-again"), free)))
    assert [(one.name, one.checks) for one in found.validations] == [("readiness", ("api-ready", "api-again"))]
    assert [(one.id, one.ungated) for one in found.ungated] == [("api-free", "about the machine")]


@pytest.mark.parametrize(
    ("changes", "seen"),
    [
        ({"gate": "readyness"}, "gates.yml has no validation readyness; it has readiness, same"),
        ({"gate": "same"}, "the validation same is the equality of all modes; no check belongs to it"),
        ({"targets": ["compose"]}, "the validation readiness is proved in the mode kind, on kubernetes, which is none of the targets"),
    ],
)
def test_a_check_and_a_validation_that_do_not_fit(tmp_path: Path, changes: dict[str, Any], seen: str) -> None:
    same = {"says": "x x", "why": "y y", "before": ["deploy"], "equal": "all modes"}
    text = refused(small(tmp_path / "small", entry(id="odd", **changes), same=same))
    assert text.startswith(f"{tmp_path.name}/small/components/api/checks.yml: 1.gate (line ")
    assert text.endswith(f"odd: {seen}")


def test_a_check_of_a_gate_where_there_are_no_gates(tmp_path: Path) -> None:
    folder = small(tmp_path / "small")
    (folder / "gates.yml").unlink()
    assert "gates.yml has no validation readiness; it has none" in refused(folder)
    (folder / "components" / "api" / "checks.yml").write_text(yaml.safe_dump([entry(gate=None, ungated="there are no gates")]))
    assert load_gates(load_platform(folder)).validations == ()


def test_a_validation_without_checks_proves_nothing(tmp_path: Path) -> None:
    text = refused(small(tmp_path / "small", empty=READINESS))
    assert text.startswith(f"{tmp_path.name}/small/gates.yml: validations.empty (line ")
    assert text.endswith("no check names the validation empty in its gate")


def team(folder: Path, own: dict[str, Any]) -> Path:
    """A platform that extends the reference, without the web console, and has validations of its own."""
    small_platform(folder, [])
    shutil.rmtree(folder / "components")
    shutil.rmtree(folder / "modes")
    document = yaml.safe_load((folder / "platform.yml").read_text())
    kept = [name for name in REFERENCE.contract.lanes["core"] if name != "web"]
    document |= {"extends": "reference", "without": ["web"], "lanes": {"core": {"components": kept}}}
    (folder / "platform.yml").write_text(yaml.safe_dump(document))
    (folder / "gates.yml").write_text(json.dumps({"gates": 1, "validations": own}))
    return folder


def test_a_team_adds_validations_and_replaces_them(tmp_path: Path, gates: Gates) -> None:
    own = {"ours": READINESS, "readiness": {**READINESS, "why": "Our own reason"}}
    folder = team(tmp_path / "team", own)
    (folder / "checks.yml").write_text(yaml.safe_dump([entry(id="mine", type="dns", proves="ingress", gate="ours")]))
    found = {one.name: one for one in load_gates(load_platform(folder)).validations}
    assert found["ours"].checks == ("mine",)
    assert (found["readiness"].why, "api-ready" in found["readiness"].checks) == ("Our own reason", True)
    # What went with the web console is demanded no more; everything else is.
    assert set(found) == {one.name for one in gates.validations} - {"login"} | {"ours"}
    assert "web-ready" not in found["readiness"].checks


def test_a_validation_that_a_team_says_itself_is_not_left_out_in_silence(tmp_path: Path) -> None:
    assert "no check names the validation login" in refused(team(tmp_path / "team", {"login": READINESS}))


# -- what is picked -------------------------------------------------------------------------


def equal(lane: str) -> EqualMeaning:
    return EqualMeaning(REFERENCE, lane)


@pytest.mark.parametrize("gate", GATES)
def test_exactly_the_gates_checks_are_picked(gates: Gates, checks: list[Check], lane: str, gate: str) -> None:
    picked = [check.id for check in pick(gates, gate, checks, "kind", equal(lane))]
    assert picked[0] == "one-meaning"
    demanded = {name for validation in gates.before(gate) for name in validation.checks}
    assert set(picked[1:]) == demanded & {check.id for check in checks}
    assert len(picked) == len(set(picked))
    assert not {one.id for one in gates.ungated} & set(picked)


def test_a_gate_is_not_passed_in_another_mode(gates: Gates, checks: list[Check], lane: str) -> None:
    with pytest.raises(ParityError) as caught:
        pick(gates, "merge", checks, "compose", equal(lane))
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


def test_all_modes_mean_the_same(make_context: MakeContext, lane: str) -> None:
    found = equal(lane).run(make_context())
    assert found.ok
    for mode in REFERENCE.mode_names:
        assert mode in found.seen


def test_modes_that_differ_in_meaning(make_context: MakeContext, lane: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from ansible_collections.gpuaas.parity.plugins.module_utils._contract.compare.compare import MEANING, Difference
    from ansible_collections.gpuaas.parity.plugins.module_utils._gates import gates as module

    monkeypatch.setattr(module, "compare", lambda *_: [Difference(MEANING, "services.api.settings.X", "1", "2")])
    with pytest.raises(ParityError, match=r"CONTRACT_MEANING_DIFFERS: services\.api\.settings\.X"):
        equal(lane).run(make_context())


def test_one_mode_alone_proves_nothing(make_context: MakeContext, tmp_path: Path) -> None:
    found = EqualMeaning(load_platform(small(tmp_path / "small")), "core").run(make_context())
    assert (found.ok, found.reason) == (False, "GATE_NOT_RUN")
