# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What any lane may have besides, and what others of the lane get and reach then, and not otherwise."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.compare.diff import differences
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.options import chosen, switched
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import load_platform
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.render import render
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.tests.unit.contract import reference
from ansible_collections.gpuaas.parity.tests.unit.contract.small_platform import Platform

WISHED = {"APP_DB": {"type": "string", "value": "${services.db.host}:${services.db.port}", "means": "Database"}}


@pytest.fixture
def optional(platform: Platform) -> Platform:
    """A platform whose database is an option, which its API wants."""
    platform.platform["lanes"] = {"core": ["api"]}
    platform.platform["options"] = {"stored": {"components": ["db"], "means": "What is kept"}}
    for name in ("APP_DB_HOST", "APP_DB_PORT"):
        platform.platform["services"]["api"]["settings"].pop(name)
    platform.component_says("api", wants={"db": WISHED})
    return platform


def api(platform: Platform, lane: str) -> dict[str, Any]:
    found: dict[str, Any] = render(platform.write().folder, "kind", lane).contract["services"]["api"]
    return found


def egress(platform: Platform, lane: str) -> str:
    """The policy of the API's connections, as text."""
    tree = render(platform.write().folder, "kind", lane).tree
    policies = [each for each in yaml.safe_load_all(tree["front/policies.yaml"]) if each["metadata"]["name"] == "api"]
    return str(policies[0]["spec"]["egress"])


def refused(platform: Platform) -> ParityError:
    with pytest.raises(ParityError) as caught:
        render(platform.write().folder, "kind", "core")
    return caught.value


def test_with_an_option_each_lane_is_another_one(optional: Platform) -> None:
    optional.platform["lanes"]["more"] = {"extends": "core", "components": []}
    optional.platform["options"]["other"] = {"components": ["db"], "means": "x"}
    found = load_platform(optional.write().folder).contract.lanes
    assert found == {
        "core": ["api"],
        "more": ["api"],
        **{f"{lane}.{option}": ["api", "db"] for lane in ("core", "more") for option in ("stored", "other", "stored.other")},
    }


def test_a_setting_of_what_is_wanted_is_there_with_it_alone(optional: Platform) -> None:
    without, with_it = api(optional, "core"), api(optional, "core.stored")
    assert with_it["settings"].pop("APP_DB") == "db.shop-data.svc.cluster.local:5432"
    assert with_it["types"].pop("APP_DB") == "string"
    assert without == with_it


def test_so_is_the_way_to_it(optional: Platform) -> None:
    assert "shop-data" not in egress(optional, "core")
    assert "shop-data" in egress(optional, "core.stored")


@pytest.mark.parametrize("lane", ["core", "core.stored"])
def test_modes_mean_the_same_in_every_lane(optional: Platform, lane: str) -> None:
    optional.other("local", "compose")
    found = differences(load_platform(optional.write().folder), "kind", "local", lane)
    assert [item for item in found if item.group == "meaning"] == []


def test_the_environment_in_compose_is_that_of_the_lane(optional: Platform) -> None:
    optional.other("local", "compose")
    folder = optional.write().folder
    assert b"APP_DB=" not in render(folder, "local", "core").tree["api.env"]
    assert b"APP_DB=" in render(folder, "local", "core.stored").tree["api.env"]


def test_what_is_wanted_is_there(optional: Platform) -> None:
    optional.component_says("api", wants={"dv": WISHED})
    error = refused(optional)
    assert (error.reason, "wants.dv (line " in error.seen) == ("CONTRACT_REFERENCE", True)


def test_a_setting_is_given_once(optional: Platform) -> None:
    optional.setting("APP_DB", type="string", value="x")
    error = refused(optional)
    assert (error.reason, "wants.db.APP_DB (line " in error.seen) == ("CONTRACT_INVALID", True)


def test_what_a_wish_refers_to_is_in_the_lane(optional: Platform) -> None:
    optional.platform["lanes"]["small"] = ["db"]
    optional.platform["options"]["stored"]["components"] = ["api"]
    optional.component_says("db", wants={"api": {"DB_FOR": {"type": "url", "value": "${endpoints.shop.url}", "means": "x"}}})
    assert load_platform(optional.write().folder).contract.lanes["small.stored"] == ["db", "api"]


def test_an_option_has_what_there_is(optional: Platform) -> None:
    optional.platform["options"]["stored"]["components"] = ["dv"]
    error = refused(optional)
    assert (error.reason, "options.stored.components.0 (line " in error.seen) == ("CONTRACT_REFERENCE", True)


@pytest.mark.parametrize("lane", reference.LANES)
def test_nobody_is_told_of_an_option_that_is_not_asked_for(lane: str) -> None:
    """Of the reference platform: without TRACES=1 no process knows an address to send spans to, nor a way there."""
    contract = reference.PLATFORM.contract
    members = contract.lanes[lane]
    wanted = {name for name in members for key, its in contract.services[name].settings_in(members).items() if its.wanted}
    senders = {name for name in members if contract.services[name].wants}
    assert senders and wanted == (senders if "traces" in members else set())


def test_an_unknown_lane_is_refused_with_those_that_a_user_names(optional: Platform) -> None:
    with pytest.raises(ParityError, match=r"known are: core\n") as caught:
        render(optional.write().folder, "kind", "x")
    assert caught.value.reason == "CONTRACT_UNKNOWN_LANE"


@pytest.mark.parametrize(
    ("lane", "standing", "text", "found"),
    [
        ("core", "core", "", "core"),
        ("core", "core", "a=1", "core.a"),
        ("core", "core", "b=yes,a=on", "core.a.b"),
        ("core", "core", "a=0", "core"),
        # What is not said is as it stands.
        ("core.a", "core.a", "", "core.a"),
        ("more", "core.a", "", "more.a"),
        ("more", "core.a", "b=TRUE", "more.a.b"),
        ("core.a", "core.a", "a=no", "core"),
    ],
)
def test_an_option_stays_until_it_is_switched(lane: str, standing: str, text: str, found: str) -> None:
    assert chosen(["a", "b"], lane, standing, switched(text)) == found
