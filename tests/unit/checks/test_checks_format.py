"""checks.yml: what is understood, what is refused and where, and what must be there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.catalog import checks_files, collect, of_phase
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import EVERYWHERE
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.parse import load, parse, require_coverage
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.references import resolve
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types import KINDS, targets_of
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.render import render
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.tests.unit.checks.platform import contract

ROOT = Path(__file__).resolve().parents[3]
READY = {"id": "api-ready", "component": "api", "proves": "ready", "phase": "up", "kind": "workload", "resource": "deployment/api"}


def entry(**changes: Any) -> dict[str, Any]:
    return {key: value for key, value in {**READY, **changes}.items() if value is not None}


def test_a_check_is_typed_and_its_references_are_resolved() -> None:
    raw = entry(kind="http", resource=None, url="${endpoints.api.url}${endpoints.api.health}", budget=30)
    (check,) = parse([raw], contract(8443), "x")
    assert (check.id, check.component, check.proves, check.phase, check.budget) == ("api-ready", "api", "ready", "up", 30)
    assert check.body.url == "https://api.gpuaas.localhost:8443/health"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("changes", "where", "seen"),
    [
        ({"id": None}, "x[0].id", "missing"),
        ({"id": 3}, "x[0].id", "not a string"),
        ({"component": "apii"}, "x[0].component", "none of platform, api"),
        ({"proves": "beauty"}, "x[0].proves", "none of ready"),
        ({"phase": "down"}, "x[0].phase", "none of up, validate"),
        ({"kind": "workloads"}, "x[0].kind", "none of"),
        ({"budget": 0}, "x[0].budget", "above 0"),
        ({"budget": "long"}, "x[0].budget", "number of seconds"),
        ({"budget": True}, "x[0].budget", "number of seconds"),
        ({"resources": "deployment/api"}, "x[0].resources", "has no such key; it has namespace, resource"),
        ({"resource": None}, "x[0].resource", "needs it"),
        ({"resource": 5}, "x[0].resource", "5 is not str"),
        ({"resource": "pod/api"}, "x[0]", "is not one of"),
        ({"resource": "${services.nope.host}"}, "x[0]", "services.nope.host} is not in the rendered contract"),
        ({"resource": "deployment/${services.api}"}, "x[0]", "not a single value"),
        ({"component": "platform", "kind": "dns", "resource": None, "names": "one"}, "x[0].names", "'one' is not list"),
        ({"kind": "tcp", "resource": None, "host": "localhost", "port": "80"}, "x[0].port", "'80' is not int"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_path(changes: dict[str, Any], where: str, seen: str) -> None:
    with pytest.raises(ParityError) as caught:
        parse([entry(**changes)], contract(8443), "x")
    assert caught.value.reason == "CHECKS_INVALID"
    assert caught.value.details == {"path": where}
    assert seen in caught.value.seen


@pytest.mark.parametrize("document", [None, {}, "x", [1]])
def test_a_document_of_another_shape(document: Any) -> None:
    with pytest.raises(ParityError, match="CHECKS_INVALID"):
        parse(document, contract(8443), "x")


def test_references_keep_types_and_reach_into_lists_and_mappings() -> None:
    given = {"port": "${a.port}", "text": ":${a.port}/", "list": ["${a.port}", 1], "plain": True}
    assert resolve(given, {"a": {"port": 1}}) == {"port": 1, "text": ":1/", "list": [1, 1], "plain": True}


def test_files(tmp_path: Path) -> None:
    good, bad = tmp_path / "a.yml", tmp_path / "b.yml"
    good.write_text("- {id: a, component: api, proves: ready, phase: up, kind: pod_security}\n")
    assert [check.id for check in load([good], contract(1))] == ["a"]
    with pytest.raises(ParityError, match="two checks have this id"):
        load([good, good], contract(1))
    with pytest.raises(ParityError, match="CHECK_MISSING"):
        load([bad], contract(1))
    bad.write_text("- [")
    with pytest.raises(ParityError, match="CHECKS_INVALID"):
        load([bad], contract(1))


@pytest.mark.parametrize(
    ("proofs", "missing"),
    [
        ([("ready", "up"), ("ingress", "up"), ("config", "validate")], []),
        ([("ready", "up"), ("ingress", "up")], ["config"]),
        ([("ready", "validate"), ("ingress", "up"), ("config", "up")], ["ready in phase up"]),
        ([], ["ready", "ingress", "config", "ready in phase up"]),
    ],
)
def test_every_component_is_proved(proofs: list[tuple[str, str]], missing: list[str]) -> None:
    raw = [entry(id=f"c{index}", proves=proves, phase=phase) for index, (proves, phase) in enumerate(proofs)]
    checks = parse(raw, contract(1), "x")
    if not missing:
        require_coverage(checks, ["api"])
        return
    with pytest.raises(ParityError) as caught:
        require_coverage(checks, ["api"])
    assert caught.value.reason == "CHECK_MISSING"
    assert caught.value.details == {"missing": {"api": missing}}


@pytest.fixture(scope="module")
def core() -> dict[str, Any]:
    return dict(render(ROOT / "contract", "kind", "core", ROOT / "roles").contract)


def test_the_roles_prove_every_component_of_the_core_lane(core: dict[str, Any]) -> None:
    checks = collect(core, checks_files(ROOT / "roles", core))
    assert {check.component for check in checks} == {"platform", *core["services"]}
    awaited = of_phase(checks, "up")
    assert {check.component for check in awaited} == set(core["services"])
    assert of_phase(checks, "validate") == checks


def test_every_kind_is_used_or_at_least_documented_by_itself(core: dict[str, Any]) -> None:
    assert all(kind.__doc__ and "(" not in kind.__doc__.split()[0] for kind in KINDS.values())


# -- by target --------------------------------------------------------------------------

COMPOSE = {**contract(8443), "target": "compose", "project": "gpuaas-local"}
CONTAINER = {"id": "api-ready", "component": "api", "proves": "ready", "phase": "up", "kind": "container"}


def test_a_check_of_another_target_is_left_out_before_its_references_are_resolved() -> None:
    raw = [entry(resource="${services.api.nowhere}"), CONTAINER]
    assert [check.kind for check in parse(raw, COMPOSE, "x")] == ["container"]
    raw[1] = {**CONTAINER, "service": "${services.api.nowhere}"}
    raw[0] = entry()
    assert [check.kind for check in parse(raw, contract(8443), "x")] == ["workload"]
    assert [check.kind for check in parse(raw, {**contract(8443), "target": "kubernetes"}, "x")] == ["workload"]


def test_a_check_that_is_left_out_must_be_well_formed_all_the_same() -> None:
    with pytest.raises(ParityError, match="CHECKS_INVALID"):
        parse([entry(proves="beauty")], COMPOSE, "x")


def test_what_the_surroundings_provide_is_neither_checked_nor_demanded(tmp_path: Path) -> None:
    document = {**contract(8443)}
    document["services"] = {"api": {**document["services"]["api"], "provided_by": "the cluster"}, "web": document["services"]["web"]}
    file = tmp_path / "checks.yml"
    proofs = [("ready", "up"), ("ingress", "up"), ("config", "validate")]
    rows = [
        entry(id=f"{name}-{proves}", component=name, proves=proves, phase=phase, resource=f"deployment/{name}")
        for name in ("api", "web")
        for proves, phase in proofs
    ]
    file.write_text(yaml.safe_dump(rows))
    assert {check.component for check in collect(document, [file])} == {"web"}
    del document["services"]["api"]["provided_by"]
    file.write_text(yaml.safe_dump(rows[3:]))
    with pytest.raises(ParityError, match="api has no check"):
        collect(document, [file])


def test_a_mode_that_is_not_deployed_from_here_is_not_checked() -> None:
    with pytest.raises(ParityError, match="MODE_TARGET_REFUSED"):
        collect({**contract(8443), "target": "gitops", "mode": "vm-105"}, [])


def test_every_kind_serves_a_target_and_those_of_clusters_and_projects_only_theirs() -> None:
    assert all(targets_of(kind) and targets_of(kind) <= EVERYWHERE for kind in KINDS)
    assert targets_of("workload") == {"kubernetes"}
    assert targets_of("container") == {"compose"}
    assert targets_of("http") == {"kubernetes", "compose"}


@pytest.fixture(scope="module")
def local() -> dict[str, Any]:
    return dict(render(ROOT / "contract", "compose", "core", ROOT / "roles").contract)


def test_the_roles_prove_every_component_of_a_project(local: dict[str, Any]) -> None:
    checks = collect(local, checks_files(ROOT / "roles", local))
    ours = {name for name, service in local["services"].items() if not service.get("provided_by")}
    assert "coredns" not in ours
    assert {check.component for check in checks} == {"platform", *ours}
    assert {check.component for check in of_phase(checks, "up")} == {"platform", *ours}
    assert not {check.kind for check in checks} & {kind for kind in KINDS if targets_of(kind) == {"kubernetes"}}


def test_a_project_needs_the_checks_of_its_own_role(local: dict[str, Any], core: dict[str, Any]) -> None:
    files = checks_files(ROOT / "roles", local)
    own = ROOT / "roles" / "compose" / "files" / "checks.yml"
    assert own in files
    assert own not in checks_files(ROOT / "roles", core)
    with pytest.raises(ParityError, match="CHECK_MISSING"):
        collect(local, [file for file in files if file != own])


def test_what_both_modes_prove_has_one_id(local: dict[str, Any], core: dict[str, Any]) -> None:
    """A report of one mode can be held against that of another."""
    ids = [
        {check.id: (check.component, check.proves) for check in collect(one, checks_files(ROOT / "roles", one))} for one in (local, core)
    ]
    assert {id: ids[0][id] for id in ids[0] if id in ids[1]} == {id: ids[1][id] for id in ids[1] if id in ids[0]}
    ready = {f"{name}-ready" for name in local["services"] if name != "coredns"}
    assert ready <= set(ids[0]) & set(ids[1])


def test_one_component_alone(core: dict[str, Any]) -> None:
    files = checks_files(ROOT / "roles", core)
    assert {check.component for check in collect(core, files, ["redis"])} == {"redis"}
    assert {check.component for check in collect(core, files, ["platform"])} == {"platform"}
    with pytest.raises(ParityError, match="no component reddis"):
        collect(core, files, ["reddis"])


def test_a_role_without_checks(core: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ParityError) as caught:
        collect(core, checks_files(tmp_path, core))
    assert caught.value.reason == "CHECK_MISSING"
    assert "cluster/files/checks.yml" in caught.value.seen
