"""A team's platform over another one: what merges, what is left out, and what is refused before anything is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.compare.compare import MEANING
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.compare.diff import differences
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import load_platform
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.source import merge
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.render import Rendering, render
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.tests.unit.contract import reference
from ansible_collections.gpuaas.parity.tests.unit.contract.small_platform import API, REPOSITORY, Platform

JOBS: dict[str, Any] = {"role": "front", "image": "shop", "ports": {"http": 9000}}


class Team:
    """A team's folder beside the shop's, which it extends."""

    def __init__(self, shop: Platform, folder: Path) -> None:
        self.shop = shop
        self.folder = folder
        self.head: dict[str, Any] = {"extends": "../platform"}
        folder.mkdir()

    def file(self, name: str, document: Any) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(document, sort_keys=False))

    def component(self, name: str, **says: Any) -> None:
        self.file(f"components/{name}/component.yml", {**JOBS, **says})
        text = API.partition("---\napiVersion: networking")[0].replace("name: api", f"name: {name}").replace("8000", "9000")
        text = text.replace(f"[{{configMapRef: {{name: {name}-config}}}}]", "[]")
        text = text.replace("secret: {secretName: api-secrets}", "emptyDir: {}")
        manifest = self.folder / f"components/{name}/kubernetes/{name}.yaml"
        manifest.parent.mkdir(parents=True, exist_ok=True)
        manifest.write_text(text.replace("namespace: shop-front", "namespace: team"))

    def render(self, mode: str = "kind", lane: str = "core") -> Rendering:
        self.shop.write()
        self.file("platform.yml", self.head)
        return render(self.folder, mode, lane)

    def refused(self, mode: str = "kind", lane: str = "core") -> ParityError:
        with pytest.raises(ParityError) as caught:
            self.render(mode, lane)
        assert caught.value.do
        return caught.value


@pytest.fixture
def team(platform: Platform, tmp_path: Path) -> Team:
    return Team(platform, tmp_path / "team")


class TestMerge:
    """Keys of mappings come together; everything else of the team replaces what is below."""

    def test_a_platform_that_says_nothing_more_is_the_other_one(self, team: Team) -> None:
        assert team.render() == render(team.shop.folder, "kind", "core")

    def test_component_beside_the_others(self, team: Team) -> None:
        team.head["lanes"] = {"jobs": {"extends": "core", "components": ["jobs"]}}
        team.component("jobs", needs=["api"])
        assert sorted(team.render(lane="jobs").contract["services"]) == ["api", "db", "jobs"]
        assert sorted(team.render().contract["services"]) == ["api", "db"]

    def test_domain_and_defaults(self, team: Team) -> None:
        team.head |= {"domain": "team.localhost", "defaults": {"ca_file": "/etc/team.crt"}}
        settings = team.render().contract["services"]["api"]["settings"]
        assert settings["APP_URL"] == "https://www.team.localhost:8443/start"
        assert (settings["APP_CA"], settings["APP_SECRETS_SOURCE"]) == ("/etc/team.crt", "file:///run/secrets/shop")

    def test_secret_of_its_own(self, team: Team) -> None:
        team.head["secrets"] = {"team_key": {"type": "key", "means": "x"}}
        assert sorted(team.render().contract["secrets"]) == ["cookie_key", "db_password", "team_key"]

    def test_mode(self, team: Team) -> None:
        team.file("modes/kind.yml", {"port": 9999, "placement": {"db": {"storage": "3Gi"}}})
        contract = team.render().contract
        assert (contract["public_port"], contract["services"]["db"]["storage"]) == (9999, "3Gi")
        assert (contract["services"]["api"]["replicas"], contract["services"]["db"]["storage_class"]) == (2, "fast")

    def test_mode_that_only_the_team_has(self, team: Team) -> None:
        team.shop.write()
        team.file("modes/edge.yml", {**team.shop.mode, "mode": "edge", "port": 444})
        assert team.render("edge").contract["public_port"] == 444
        assert load_platform(team.folder).mode_names == ["edge", "kind"]

    def test_realm(self, team: Team) -> None:
        (team.shop.folder / "realm.yml").write_text("realm: shop\nroles: [buyer, seller]\nclients: {a: {ttl: 5, uri: x}, b: {ttl: 1}}\n")
        team.file("realm.yml", {"roles": ["guest"], "clients": {"a": {"ttl": 6}, "c": {"ttl": 2}}})
        assert json.loads(team.render().tree["realm.json"]) == {
            "realm": "shop",
            "roles": ["guest"],
            "clients": {"a": {"ttl": 6, "uri": "x"}, "b": {"ttl": 1}, "c": {"ttl": 2}},
        }

    def test_null_takes_a_key_away(self, team: Team) -> None:
        (team.shop.folder / "realm.yml").write_text("clients: {a: {ttl: 5, uri: x}, b: {ttl: 1}}\n")
        team.file("realm.yml", {"clients": {"a": {"uri": None}, "b": None}})
        assert json.loads(team.render().tree["realm.json"]) == {"clients": {"a": {"ttl": 5}}}

    def test_null_for_what_is_not_there_is_a_slip(self, team: Team) -> None:
        team.file("modes/kind.yml", {"placement": {"dv": None}})
        error = team.refused()
        assert error.reason == "MODE_INVALID"
        assert "team/modes/kind.yml: placement.dv (line " in error.seen

    def test_gates(self, team: Team) -> None:
        one = {"says": "x x", "why": "y y", "before": ["deploy"], "mode": "kind"}
        (team.shop.folder / "gates.yml").write_text(yaml.safe_dump({"gates": 1, "validations": {"one": one}}))
        team.file("gates.yml", {"validations": {"one": {"before": ["merge", "deploy"]}, "two": one}})
        team.render()
        gates = load_platform(team.folder).merged("gates.yml")
        assert gates is not None
        assert gates.data == {"gates": 1, "validations": {"one": {**one, "before": ["merge", "deploy"]}, "two": one}}

    def test_place_of_a_mistake_is_in_the_file_that_makes_it(self, team: Team) -> None:
        team.file("modes/kind.yml", {"port": "x"})
        assert "team/modes/kind.yml: port (line 1)" in team.refused().seen
        team.file("modes/kind.yml", {"port": 9999})
        team.shop.mode["domain"] = "Not A Domain"
        assert "platform/modes/kind.yml: domain (line " in team.refused().seen

    def test_three_levels(self, team: Team, tmp_path: Path) -> None:
        top = Team(team.shop, tmp_path / "top")
        top.head = {"extends": "../team", "lanes": {"more": {"components": ["jobs", "mail"]}}}
        top.component("mail")
        team.head["lanes"] = {"more": {"extends": "core", "components": ["jobs"]}}
        team.component("jobs")
        team.render()
        assert sorted(top.render(lane="more").contract["services"]) == ["api", "db", "jobs", "mail"]

    @pytest.mark.parametrize("lane", reference.LANES)
    def test_reference_by_its_name(self, team: Team, lane: str) -> None:
        team.head = {"extends": "reference"}
        assert team.render("kind", lane).contract == render(reference.PLATFORM.folder, "kind", lane).contract

    @pytest.mark.parametrize(
        ("below", "above", "whole"),
        [
            ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
            ({"a": {"x": 1}}, {"a": {"y": 2}}, {"a": {"x": 1, "y": 2}}),
            ({"a": [1]}, {"a": [2]}, {"a": [2]}),
            ({"a": {"x": 1}}, {"a": 2}, {"a": 2}),
            ({"a": 1, "b": 2}, {"a": None}, {"b": 2}),
            ({"a": None}, {"b": 2}, {"a": None, "b": 2}),
            ({}, {"a": None}, {"a": None}),
        ],
    )
    def test_rule(self, below: Any, above: Any, whole: Any) -> None:
        assert merge(below, above) == whole


class TestWithout:
    """A component of an extended platform that is left out, and all that was said of it there."""

    def without_db(self, team: Team) -> None:
        team.head["without"] = ["db"]
        for name in ("APP_DB_HOST", "APP_DB_PORT"):
            team.shop.platform["services"]["api"]["settings"].pop(name)

    def test_lanes_and_placement_go_with_it(self, team: Team) -> None:
        self.without_db(team)
        team.shop.other("local", "compose")
        for mode in ("kind", "local"):
            contract = team.render(mode).contract
            assert sorted(contract["services"]) == ["api"]
            assert contract["secrets"]["db_password"]["readers"] == ["api"]

    def test_component_of_the_same_name_in_its_place(self, team: Team) -> None:
        self.without_db(team)
        team.component("db", role="data", needs=[])
        team.file("modes/kind.yml", {"placement": {"db": {"storage": None, "storage_class": None}}})
        assert team.render().contract["services"]["db"]["ports"] == {"http": 9000}

    def test_what_needs_it_is_named(self, team: Team) -> None:
        team.head["without"] = ["db"]
        error = team.refused()
        assert error.reason == "CONTRACT_REFERENCE"
        assert "platform/components/api/component.yml: settings.APP_DB_HOST.value (line " in error.seen

    def test_what_only_wants_it_does_without(self, team: Team) -> None:
        self.without_db(team)
        wished = {"APP_DB": {"type": "hostname", "value": "${services.db.host}", "means": "x"}}
        team.shop.platform["services"]["api"]["wants"] = {"db": wished}
        assert "APP_DB" not in team.render().contract["services"]["api"]["settings"]

    def test_an_option_goes_with_it(self, team: Team) -> None:
        self.without_db(team)
        team.shop.platform["options"] = {"stored": {"components": ["db"], "means": "x"}}
        team.render(lane="core.stored")

    def test_of_what_is_not_there(self, team: Team) -> None:
        team.head["without"] = ["db", "cache"]
        error = team.refused()
        assert error.reason == "CONTRACT_REFERENCE"
        assert "team/platform.yml: without.1 (line " in error.seen
        assert "no component cache to leave out; there are api" in error.seen

    def test_of_what_is_ones_own(self, team: Team) -> None:
        team.head["without"] = ["jobs"]
        team.component("jobs")
        assert team.refused().reason == "CONTRACT_REFERENCE"

    @pytest.mark.parametrize("value", ["db", [1], [["db"]], {"db": True}, ["db", "db"]])
    def test_of_the_wrong_shape(self, team: Team, value: Any) -> None:
        team.head["without"] = value
        error = team.refused()
        assert error.reason == "CONTRACT_INVALID"
        assert "team/platform.yml: without" in error.seen

    def test_own_lane_that_names_what_was_left_out(self, team: Team) -> None:
        self.without_db(team)
        team.head["lanes"] = {"core": {"components": ["api", "db"]}}
        error = team.refused()
        assert error.reason == "CONTRACT_REFERENCE"
        assert "team/platform.yml: lanes.core.components.1 (line " in error.seen

    def test_own_mode_that_places_what_was_left_out(self, team: Team) -> None:
        self.without_db(team)
        team.file("modes/kind.yml", {"placement": {"db": {"storage": "3Gi"}}})
        error = team.refused()
        assert error.reason == "MODE_INVALID"
        assert "team/modes/kind.yml: placement.db (line " in error.seen

    def test_counts_in_every_level(self, team: Team, tmp_path: Path) -> None:
        self.without_db(team)
        team.component("jobs")
        team.head["lanes"] = {"core": {"components": ["jobs", "api"]}}
        team.render()
        top = Team(team.shop, tmp_path / "top")
        top.head = {"extends": "../team", "without": ["jobs"]}
        assert sorted(top.render().contract["services"]) == ["api"]


def _copied(team: Team) -> None:
    """A component's folder copied, and not every name in it changed."""
    team.component("jobs")
    path = team.folder / "components/jobs/kubernetes/policy.yaml"
    path.write_text("apiVersion: v1\nkind: Service\nmetadata: {name: api, namespace: shop-front}\n")
    team.head["lanes"] = {"jobs": {"extends": "core", "components": ["jobs"]}}


@pytest.mark.parametrize(
    ("change", "reason", "seen", "do"),
    [
        (
            lambda t: t.component("db"),
            "PLATFORM_COMPONENT_TWICE",
            ["team/components/db: there is ", "platform/components/db already"],
            "add db to `without` in ",
        ),
        (
            lambda t: t.file("components/jobs/component.yml", JOBS),
            "CONTRACT_MANIFEST_MISMATCH",
            ["team/components/jobs: has no folder kubernetes/"],
            "write a workload named jobs to ",
        ),
        (
            lambda t: (t.component("jobs"), (t.folder / "components/jobs/component.yml").unlink()),
            "CONTRACT_UNREADABLE",
            ["team/components/jobs/component.yml: there is no such file"],
            "or remove the folder",
        ),
        (
            lambda t: t.component("jobs", replicas=2),
            "CONTRACT_INVALID",
            ["team/components/jobs/component.yml: replicas (line ", "is unknown here"],
            "correct the named place",
        ),
        (
            lambda t: t.component("Jobs"),
            "CONTRACT_INVALID",
            ["team/components/Jobs: the folder's name must be a lower-case DNS label"],
            "rename the folder",
        ),
        (
            lambda t: t.component("validate"),
            "CONTRACT_INVALID",
            ["team/components/validate: ", "a reader of that name"],
            "rename the folder",
        ),
        (
            lambda t: (t.component("jobs", ports={"http": 9001}), t.head.update(lanes={"core": {"components": ["api", "db", "jobs"]}})),
            "CONTRACT_MANIFEST_MISMATCH",
            ["team/components/jobs/kubernetes/jobs.yaml: Service jobs: exposes 9000, component.yml says 9001"],
            "make the named manifest say",
        ),
        (
            lambda t: (t.component("jobs"), _without_service(t)),
            "CONTRACT_MANIFEST_MISMATCH",
            ["team/components/jobs/kubernetes: no Service of jobs in namespace team, and its component.yml has ports"],
            "add a Service named jobs",
        ),
        (
            lambda t: t.component("jobs"),
            "CONTRACT_INVALID",
            ["team/components/jobs/component.yml: the document (line 1): is in no lane", "add it to one"],
            "correct the named place",
        ),
        (
            _copied,
            "CONTRACT_MANIFEST_MISMATCH",
            ["team/components/jobs/kubernetes: Service api in namespace shop-front is ", "platform/components/api's already"],
            "make the named manifest say",
        ),
        (
            lambda t: t.head.update(lanes={"core": {"components": ["api", "db", "gone"]}}),
            "CONTRACT_REFERENCE",
            ["team/platform.yml: lanes.core.components.2 (line ", "no component gone"],
            "correct the name",
        ),
        (
            lambda t: t.head.update(lanes={"more": {"extends": "gone", "components": []}}),
            "CONTRACT_REFERENCE",
            ["team/platform.yml: lanes.more.extends (line ", "no lane gone; there are core, more"],
            "correct the name",
        ),
        (
            lambda t: t.head.update(lanes={"core": {"extends": "more"}, "more": {"extends": "core", "components": []}}),
            "PLATFORM_EXTENDS",
            ["team/platform.yml: lanes.core.extends (line ", "core -> more -> core"],
            "correct extends: at the named place",
        ),
        (
            lambda t: (
                t.component("jobs", needs=["mail"]),
                t.component("mail", needs=["jobs"]),
                t.head.update(lanes={"more": {"extends": "core", "components": ["jobs", "mail"]}}),
            ),
            "CONTRACT_CYCLE",
            ["team/components/jobs/component.yml: needs (line ", "jobs -> mail -> jobs"],
            "replace one of the named references",
        ),
        (
            lambda t: (t.component("jobs", needs=["jobs"]), t.head.update(lanes={"more": {"extends": "core", "components": ["jobs"]}})),
            "CONTRACT_CYCLE",
            ["team/components/jobs/component.yml: needs (line ", "jobs -> jobs"],
            "replace one of the named references",
        ),
        (
            lambda t: (t.component("jobs", needs=["gone"]), t.head.update(lanes={"more": {"extends": "core", "components": ["jobs"]}})),
            "CONTRACT_REFERENCE",
            ["team/components/jobs/component.yml: needs.0 (line ", "no component gone"],
            "correct the name",
        ),
        (
            lambda t: t.head.update(extends="../nowhere"),
            "PLATFORM_EXTENDS",
            ["team/platform.yml: extends (line 1)", "nowhere holds no platform.yml"],
            "correct extends: at the named place",
        ),
        (
            lambda t: t.head.update(extends="../team"),
            "PLATFORM_EXTENDS",
            ["team/platform.yml: extends (line 1): platforms that extend each other"],
            "correct extends: at the named place",
        ),
        (
            lambda t: t.shop.platform.update(extends="../team"),
            "PLATFORM_EXTENDS",
            ["platform/platform.yml: extends (line ", "platforms that extend each other", "/team -> ", "/platform -> "],
            "correct extends: at the named place",
        ),
        (
            lambda t: t.head.update(extends=["reference"]),
            "PLATFORM_EXTENDS",
            ["team/platform.yml: extends (line 1): must be `reference` or the folder of another platform"],
            "correct extends: at the named place",
        ),
        (
            lambda t: t.head.update(extends=""),
            "PLATFORM_EXTENDS",
            ["team/platform.yml: extends (line 1): must be `reference` or the folder of another platform"],
            "correct extends: at the named place",
        ),
    ],
)
def test_refused_by_file_and_field_with_what_to_type(
    team: Team, change: Callable[[Team], Any], reason: str, seen: list[str], do: str
) -> None:
    change(team)
    error = team.refused()
    assert error.reason == reason
    assert [text for text in seen if text not in error.seen] == []
    assert do in error.do


def _without_service(team: Team) -> None:
    path = team.folder / "components/jobs/kubernetes/jobs.yaml"
    path.write_text(path.read_text().split("---\n", 1)[1])


@pytest.mark.parametrize("folder", ["nowhere", "empty", "file"])
def test_folder_that_is_no_platform(tmp_path: Path, folder: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("platform: 1\n")
    with pytest.raises(ParityError) as caught:
        load_platform(tmp_path / folder)
    assert caught.value.reason == "PLATFORM_MISSING"
    assert f"{tmp_path / folder} holds no platform.yml" in caught.value.seen
    assert "platform=" in caught.value.do


def test_example_of_another_team_means_the_same_in_every_mode() -> None:
    platform = load_platform(REPOSITORY / "examples/minimal/platform")
    lane = platform.contract.defaults["lane"]
    for first, second in combinations(platform.mode_names, 2):
        assert [item for item in differences(platform, first, second, lane) if item.group == MEANING] == []
    assert set(platform.contract.lanes[lane]) > set(platform.contract.lanes["core"])


def test_what_is_no_component_is_passed_over(team: Team) -> None:
    for name in ("components/README.md", "components/.cache/x", "components/.DS_Store"):
        (team.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (team.folder / name).write_text("x")
    assert sorted(team.render().contract["services"]) == ["api", "db"]
