"""checks.yml: what is understood, what is refused and where, and what must be there."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.catalog import collect, of_phase, refuse_shared
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.coverage import require_coverage
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.entries import Entry, entries_of, read_entries
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import EVERYWHERE, Check
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.parse import parse
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.references import resolve
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types import TYPES
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import Platform, load_platform
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.render import render_mode
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.tests.unit.checks.platform import contract
from ansible_collections.gpuaas.parity.tests.unit.checks.written import entries, entry, small_platform, source_of

ROOT = Path(__file__).resolve().parents[3]
REFERENCE = load_platform(ROOT / "platform")
LANES = list(REFERENCE.contract.lanes)
HTTP = {"type": "http", "url": "${endpoints.api.url}${endpoints.api.health}"}


def rendered(mode: str, lane: str, platform: Platform = REFERENCE) -> dict[str, Any]:
    return dict(render_mode(platform, platform.mode(mode), lane).contract)


# -- an entry -----------------------------------------------------------------------------


def test_a_check_is_typed_and_its_references_are_resolved() -> None:
    (check,) = parse(entries(entry(**HTTP, budget=30)), contract(8443))
    assert (check.id, check.component, check.proves, check.phase, check.budget) == ("api-ready", "api", "ready", "up", 30)
    assert (check.type, check.gate) == ("http", "readiness")
    assert check.body.url == "https://api.gpuaas.localhost:8443/health"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("changes", "where", "seen"),
    [
        ({"id": None}, "0", "lacks id"),
        ({"id": 3}, "0.id", "must be a lower-case name"),
        ({"proves": "beauty"}, "0.proves", "must be one of ready, ingress"),
        ({"phase": "down"}, "0.phase", "must be one of up, validate"),
        ({"type": None}, "0", "lacks type"),
        ({"targets": None}, "0", "lacks targets"),
        ({"targets": []}, "0.targets", "must be a list of targets, each once"),
        ({"targets": ["compose", "compose"]}, "0.targets", "must be a list of targets, each once"),
        ({"targets": "compose"}, "0.targets", "must be a list"),
        ({"targets": ["kind"]}, "0.targets.0", "must be one of kubernetes, compose, shared"),
        ({"gate": None}, "0", "must be a check with either gate or ungated"),
        ({"ungated": "about the machine"}, "0", "must be a check with either gate or ungated"),
        ({"gate": None, "ungated": ""}, "0.ungated", "must be the reason"),
        ({"gate": "a b"}, "0.gate", "must be the name of a validation"),
        ({"budget": 0}, "0.budget", "must be a number of seconds above 0"),
        ({"budget": "long"}, "0.budget", "must be a number of seconds above 0"),
        ({"budget": True}, "0.budget", "must be a number of seconds above 0"),
        ({"component": "web"}, "0.component", "left out: a check belongs to the component"),
        ({"kind": "workload"}, "0.kind", "has no such argument"),
    ],
)
def test_an_entry_of_another_shape(changes: dict[str, Any], where: str, seen: str) -> None:
    with pytest.raises(ParityError) as caught:
        parse(entries(entry(**changes)), contract(8443))
    assert caught.value.reason == "CHECKS_INVALID"
    assert re.search(rf"x/checks\.yml: {re.escape(where)} \(line \d+\): .*{re.escape(seen)}", caught.value.seen), caught.value.seen


@pytest.mark.parametrize(
    ("changes", "where", "seen"),
    [
        ({"type": "workloads"}, "type", "there is no type workloads; there are ca_published"),
        ({"resource": "deployment/api"}, "resource", "the type workload has no such argument; it has name"),
        ({"type": "pod_security"}, "targets", "the type pod_security serves kubernetes, not compose"),
        ({"targets": ["shared"]}, "targets", "the type workload serves compose, kubernetes, not shared"),
        ({"type": "tcp", "host": "localhost"}, "port", "the type tcp needs port"),
        ({"type": "tcp", "host": "localhost", "port": "80"}, "port", "'80' is not int"),
        ({"type": "dns", "names": "one"}, "names", "'one' is not list"),
        ({"name": 5}, "name", "5 is not str"),
        ({"name": "${services.nope.host}"}, "", "${services.nope.host} is not in the rendered contract"),
        ({"name": "a-${services.api}"}, "", "${services.api} is not a single value"),
        ({"type": "exec", "command": []}, "", "command is empty"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_place(changes: dict[str, Any], where: str, seen: str) -> None:
    with pytest.raises(ParityError) as caught:
        parse(entries(entry(**changes)), contract(8443))
    place = f"x/checks.yml: 0{'.' if where else ''}{where} (line"
    assert caught.value.reason == "CHECKS_INVALID"
    assert caught.value.details["path"].startswith(place)
    assert caught.value.seen.startswith(place)
    assert f"api-ready: {seen}" in caught.value.seen


@pytest.mark.parametrize("document", [None, {}, "x", [1]])
def test_a_document_of_another_shape(document: Any) -> None:
    with pytest.raises(ParityError, match="CHECKS_INVALID"):
        entries_of(source_of(document))


def test_references_keep_types_and_reach_into_lists_and_mappings() -> None:
    given = {"port": "${a.port}", "text": ":${a.port}/", "list": ["${a.port}", 1], "plain": True}
    assert resolve(given, {"a": {"port": 1}}) == {"port": 1, "text": ":1/", "list": [1, 1], "plain": True}


# -- where it holds -------------------------------------------------------------------------

COMPOSE = {**contract(8443), "target": "compose", "project": "gpuaas-local"}
SHARED = {**contract(8443), "target": "gitops", "mode": "vm-105"}


@pytest.mark.parametrize(
    ("targets", "here"),
    [(["kubernetes"], [True, False, False]), (["compose"], [False, True, False]), (["shared", "kubernetes"], [True, False, True])],
)
def test_a_check_is_made_where_it_says_that_it_holds(targets: list[str], here: list[bool]) -> None:
    written = entries(entry(**HTTP, targets=targets))
    assert [bool(parse(written, one)) for one in (contract(8443), COMPOSE, SHARED)] == here


def test_port_of_a_component_is_its_main_one() -> None:
    service = {"ports": {"monitor": 8222, "client": 4222}, "main_port": "client"}
    assert resolve("${services.queue.port}", {"services": {"queue": service}}) == 4222
    with pytest.raises(ValueError, match=r"services\.queue\.port"):
        resolve("${services.queue.port}", {"services": {"queue": {}}})


def test_a_check_of_another_target_is_left_out_before_its_references_are_resolved() -> None:
    written = entries(entry(name="${services.api.nowhere}", targets=["kubernetes"]))
    assert parse(written, COMPOSE) == []
    with pytest.raises(ParityError, match="nowhere"):
        parse(written, contract(8443))


def test_a_check_that_is_left_out_must_be_well_formed_all_the_same() -> None:
    with pytest.raises(ParityError, match="no such argument"):
        parse(entries(entry(resource="x", targets=["kubernetes"])), COMPOSE)


def test_every_type_says_what_it_is_and_where_it_can_be_made() -> None:
    for name, cls in TYPES.items():
        assert cls.__doc__ and "(" not in cls.__doc__.split()[0], name
        assert cls.targets and cls.targets <= EVERYWHERE, name
    # A platform elsewhere is only read, through its endpoints.
    assert {name for name, cls in TYPES.items() if "shared" in cls.targets} == {"http", "tls", "oidc_discovery", "token_refused"}


# -- what must be there -----------------------------------------------------------------------


def proving(*proofs: tuple[str, str], component: str = "api") -> list[Check]:
    written = [entry(**HTTP, id=f"c{index}", proves=proves, phase=phase) for index, (proves, phase) in enumerate(proofs)]
    return parse(entries(*written, component=component), contract(1))


@pytest.mark.parametrize(
    ("declared", "proofs", "missing"),
    [
        ({}, [("ready", "up")], []),
        ({}, [("ready", "validate")], ["ready in phase up"]),
        ({}, [], ["ready in phase up", "ready"]),
        ({"ports": {"http": 1}}, [("ready", "up"), ("ingress", "up")], []),
        ({"ports": {"http": 1}}, [("ready", "up")], ["ingress"]),
        ({"settings": {"A": "1"}}, [("ready", "up"), ("config", "validate")], []),
        ({"secrets": {"a": "b"}}, [("ready", "up")], ["config"]),
    ],
)
def test_every_component_is_proved_by_what_it_declares(declared: dict[str, Any], proofs: list[tuple[str, str]], missing: list[str]) -> None:
    document = {**contract(1), "services": {"api": declared}}
    if not missing:
        require_coverage(proving(*proofs), document, ["api"])
        return
    with pytest.raises(ParityError) as caught:
        require_coverage(proving(*proofs), document, ["api"])
    assert caught.value.reason == "CHECK_MISSING"
    assert caught.value.details == {"missing": {"api": missing}}


def test_a_component_with_certificates_is_compared_by_the_type_that_does_so() -> None:
    document = {**contract(1), "services": {"api": {"certificates": {"server": {"usage": "server"}}}}}
    proofs = proving(("ready", "up"), ("config", "validate"))
    with pytest.raises(ParityError, match="api has no check that proves config by type configuration"):
        require_coverage(proofs, document, ["api"])
    compared = parse(entries(entry(id="compared", proves="config", type="configuration", phase="validate"), component="api"), contract(1))
    require_coverage([*proofs, *compared], document, ["api"])


def test_of_a_platform_elsewhere_every_endpoint_is_proved_and_nothing_else() -> None:
    with pytest.raises(ParityError) as caught:
        require_coverage(proving(("ingress", "up")), SHARED, SHARED["services"])
    assert caught.value.details["missing"] == {"api": ["security"], "web": ["ingress", "security"], "keeper": ["ingress", "security"]}


def test_a_component_without_checks(tmp_path: Path) -> None:
    folder = small_platform(tmp_path / "small", [])
    (folder / "components" / "api" / "checks.yml").unlink()
    platform = load_platform(folder)
    with pytest.raises(ParityError) as caught:
        collect(platform, rendered("kind", "core", platform))
    assert (caught.value.reason, caught.value.seen) == ("CHECK_MISSING", f"{tmp_path.name}/small/components/api/checks.yml does not exist")


def test_ids_are_unique_over_all_files(tmp_path: Path) -> None:
    folder = small_platform(tmp_path / "small", [entry()], checks=[entry(**HTTP)])
    with pytest.raises(ParityError) as caught:
        read_entries(load_platform(folder), ["api"])
    assert caught.value.reason == "CHECKS_INVALID"
    assert "small/components/api/checks.yml: 0.id (line 3): api-ready: two checks have this id" in caught.value.seen
    assert "small/checks.yml: 0.id" in caught.value.seen


def test_a_file_that_is_no_yaml(tmp_path: Path) -> None:
    folder = small_platform(tmp_path / "small", [])
    (folder / "components" / "api" / "checks.yml").write_text("- [")
    with pytest.raises(ParityError, match=rf"CHECKS_INVALID: {tmp_path.name}/small/components/api/checks\.yml"):
        read_entries(load_platform(folder), ["api"])


def test_a_contract_of_another_platform(tmp_path: Path) -> None:
    platform = load_platform(small_platform(tmp_path / "small", [entry()]))
    with pytest.raises(ParityError) as caught:
        collect(platform, rendered("kind", "core"))
    assert caught.value.reason == "CONTRACT_NOT_RENDERED"
    assert "traefik" in caught.value.seen


@pytest.mark.parametrize("lane", REFERENCE.contract.lanes)
def test_what_the_surroundings_provide_is_neither_checked_nor_demanded(lane: str) -> None:
    document = rendered("compose", lane)
    ours = {name for name, service in document["services"].items() if not service.get("provided_by")}
    assert "coredns" not in ours
    assert {check.component for check in collect(REFERENCE, document)} == {"platform", *ours}
    del document["services"]["coredns"]["provided_by"]
    with pytest.raises(ParityError, match="coredns has no check that proves ready"):
        collect(REFERENCE, document)


def test_a_mode_that_is_not_deployed_from_here_is_only_looked_at() -> None:
    refuse_shared(contract(8443))
    with pytest.raises(ParityError, match="MODE_TARGET_REFUSED"):
        refuse_shared(SHARED)


# -- the reference platform -----------------------------------------------------------------


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("mode", REFERENCE.mode_names)
def test_every_component_of_every_lane_is_proved_in_every_mode(mode: str, lane: str) -> None:
    document = rendered(mode, lane)
    checks = collect(REFERENCE, document)
    ours = {name for name, service in document["services"].items() if not service.get("provided_by")}
    if document["target"] == "gitops":
        assert {check.component for check in checks} == {endpoint["service"] for endpoint in document["endpoints"].values()}
        assert {check.type for check in checks} <= {"http", "tls", "oidc_discovery", "token_refused"}
        return
    assert {check.component for check in checks} == {"platform", *ours}
    assert {check.component for check in of_phase(checks, "up")} - {"platform"} == ours
    assert of_phase(checks, "validate") == checks


@pytest.mark.parametrize("lane", LANES)
def test_what_comes_first_explains_what_follows(lane: str) -> None:
    document = rendered("kind", lane)
    order = list(dict.fromkeys(check.component for check in collect(REFERENCE, document)))
    for name, service in document["services"].items():
        assert all(order.index(needed) < order.index(name) for needed in service["needs"])


def test_one_component_alone() -> None:
    document = rendered("kind", "core")
    for name in ("redis", "platform"):
        assert {check.component for check in collect(REFERENCE, document, [name])} == {name}
    with pytest.raises(ParityError, match="no component reddis"):
        collect(REFERENCE, document, ["reddis"])


def everything() -> list[Entry]:
    return read_entries(REFERENCE, REFERENCE.components)


def test_checks_of_the_whole_name_no_component() -> None:
    text = " ".join(str(value) for one in everything() if one.component == "platform" for value in one.arguments.values())
    assert [name for name in REFERENCE.components if name in text] == []


def test_checks_of_a_component_refer_to_itself_and_to_what_it_refers_to() -> None:
    for one in everything():
        if one.component == "platform":
            continue
        data = REFERENCE.components[one.component].source.data
        service = REFERENCE.contract.services[one.component]
        known = {one.component, *service.needs, *re.findall(r"\$\{services\.([a-z0-9-]+)", yaml.safe_dump(data))}
        used = set(re.findall(r"\$\{services\.([a-z0-9-]+)", yaml.safe_dump(one.arguments)))
        used |= {REFERENCE.contract.endpoints[name].service for name in re.findall(r"\$\{endpoints\.([a-z0-9-]+)", str(one.arguments))}
        assert used <= known, one.id


def test_whoever_mounts_the_ca_proves_that_it_is_ours() -> None:
    mounting = {name for name, component in REFERENCE.components.items() for m in component.base.manifests if "'gpuaas-ca'" in str(m.data)}
    assert {one.component for one in everything() if one.type == "ca_published"} == mounting


def test_a_team_has_its_own_checks_beside_those_that_it_extends(tmp_path: Path) -> None:
    own = [entry(id="small-ready"), entry(id="small-entry", proves="ingress"), entry(id="small-configuration", proves="config")]
    folder = small_platform(tmp_path / "team", own)
    document = yaml.safe_load((folder / "platform.yml").read_text())
    document |= {"extends": "reference"}
    document["lanes"]["core"]["components"] = ["small"]
    (folder / "platform.yml").write_text(yaml.safe_dump(document))
    shutil.move(folder / "components" / "api", folder / "components" / "small")
    manifest = folder / "components" / "small" / "kubernetes" / "api.yaml"
    manifest.write_text(manifest.read_text().replace("name: api", "name: small"))
    shutil.rmtree(folder / "modes")
    (folder / "checks.yml").write_text(yaml.safe_dump([entry(id="mine", type="dns", proves="ingress")]))
    found = {one.id: one.component for one in read_entries(load_platform(folder), ["small", "redis"])}
    assert {found[name] for name in ("host-names", "mine")} == {"platform"}
    assert (found["small-ready"], found["redis-ready"]) == ("small", "redis")
    assert "api-ready" not in found
