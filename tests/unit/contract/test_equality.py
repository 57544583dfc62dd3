"""Modes are equal in meaning: proved for the contract of this checkout, and for contracts that nobody thought of."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.compare.compare import MEANING, compare
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.compare.diff import rendered
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.compare.expected import leaves
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.compare.observe import observe
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import Platform, load_platform
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.resolve import as_json
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.render import render_mode
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.tree import Tree
from ansible_collections.gpuaas.parity.tests.unit.contract import made_up, reference
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

# The same examples in every run: a red test is red again. Nothing is shrunk: the files make each example dear.
repeatable = settings(
    max_examples=25,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def on_disk[Result](platform: dict[str, Any], work: Callable[[Platform], Result]) -> Result:
    with tempfile.TemporaryDirectory() as root:
        made_up.write(platform, Path(root))
        return work(load_platform(Path(root)))


def trees(platform: Platform, lane: str = "core") -> dict[str, Tree]:
    return {mode: render_mode(platform, platform.mode(mode), lane).tree for mode in platform.mode_names}


def meaning(platform: Platform, first: tuple[str, Tree], second: tuple[str, Tree], lane: str = "core") -> list[str]:
    a, b = (rendered(platform, platform.mode(mode), lane, tree) for mode, tree in (first, second))
    return [f"{item.path}: {item.a} {item.b}" for item in compare(platform.contract, platform.realm, lane, a, b) if item.group == MEANING]


@pytest.fixture(scope="module", params=reference.LANES)
def own(request: pytest.FixtureRequest) -> tuple[str, dict[str, Tree]]:
    """Each lane of the reference platform, in every mode."""
    return request.param, trees(reference.PLATFORM, request.param)


@pytest.mark.parametrize(("first", "second"), list(combinations(reference.MODES, 2)))
def test_own_modes_are_equal_in_meaning(own: tuple[str, dict[str, Tree]], first: str, second: str) -> None:
    lane, rendering = own
    assert meaning(reference.PLATFORM, (first, rendering[first]), (second, rendering[second]), lane) == []


def test_own_services_get_exactly_the_settings_of_the_contract(own: tuple[str, dict[str, Tree]]) -> None:
    contract = reference.PLATFORM.contract
    members = contract.lanes[own[0]]
    for tree in own[1].values():
        for name, got in observe(tree).received.items():
            assert set(contract.services[name].settings_in(members)) <= set(got)


@repeatable
@given(made_up.platforms())
def test_modes_are_equal_in_meaning(platform: dict[str, Any]) -> None:
    def check(found: Platform) -> None:
        rendering = trees(found)
        for first, second in combinations(rendering.items(), 2):
            assert meaning(found, first, second) == []

    on_disk(platform, check)


@repeatable
@given(made_up.platforms())
def test_services_get_the_same_keys(platform: dict[str, Any]) -> None:
    wanted = {name: set(service["settings"]) for name, service in platform["contract"]["services"].items()}
    for mode, tree in on_disk(platform, trees).items():
        seen = observe(tree)
        provided = {name for name, at in platform["modes"][mode]["placement"].items() if "provided_by" in at}
        placed = set(wanted) - provided
        assert {name: set(variables) for name, variables in seen.received.items()} == {name: wanted[name] for name in placed}
        assert {name: set(service["settings"]) for name, service in seen.contract["services"].items()} == wanted


@repeatable
@given(made_up.platforms(), st.randoms(use_true_random=False))
def test_bytes_are_the_same_whatever_the_order(platform: dict[str, Any], order: Any) -> None:
    def shuffled(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        keys = list(value)
        order.shuffle(keys)
        return {key: shuffled(value[key]) for key in keys}

    other = {**platform, "contract": shuffled(platform["contract"]), "modes": shuffled(platform["modes"])}
    assert on_disk(platform, trees) == on_disk(other, trees) == on_disk(platform, trees)


@repeatable
@given(made_up.platforms(), st.data())
def test_every_change_of_a_rendering_is_found(platform: dict[str, Any], data: st.DataObject) -> None:
    first, second = data.draw(st.permutations(list(made_up.TARGETS)))[:2]

    def check(found: Platform) -> None:
        rendering = trees(found)
        changed = data.draw(st.sampled_from([_in_env, _in_contract, _in_realm]))(rendering[first], data)
        assert changed != rendering[first]
        assert meaning(found, (first, changed), (second, rendering[second]))
        assert meaning(found, (second, rendering[second]), (first, changed))

    on_disk(platform, check)


def _in_env(tree: Tree, data: st.DataObject) -> Tree:
    """A variable dropped, added, changed, or two values swapped."""
    name = data.draw(st.sampled_from(sorted(name for name in tree if name.endswith(".env") and name != ".env") or ["none"]))
    assume(name in tree)
    lines = tree[name].decode().splitlines()
    index = data.draw(st.integers(0, len(lines) - 1))
    key, _separator, value = lines[index].partition("=")
    match data.draw(st.sampled_from(["drop", "add", "change", "swap"])):
        case "drop":
            del lines[index]
        case "add":
            lines.insert(index, "APP_NOBODYS=1")
        case "change":
            lines[index] = f"{key}={data.draw(st.sampled_from([f'9{value}', f'{value}9', '9']).filter(lambda new: new != value))}"
        case "swap":
            other, _separator, held = lines[data.draw(st.integers(0, len(lines) - 1))].partition("=")
            assume(held != value)
            lines = [f"{key}={held}" if line == f"{key}={value}" else line for line in lines]
            lines = [f"{other}={value}" if line == f"{other}={held}" else line for line in lines]
    return tree | {name: "".join(f"{line}\n" for line in lines).encode()}


def _in_contract(tree: Tree, data: st.DataObject) -> Tree:
    return _in_document(tree, "contract.json", data)


def _in_realm(tree: Tree, data: st.DataObject) -> Tree:
    return _in_document(tree, "realm.json", data)


def _in_document(tree: Tree, name: str, data: st.DataObject) -> Tree:
    """A leaf dropped, changed, of another type, or beside a new one."""
    document = json.loads(tree[name])
    path, value = data.draw(st.sampled_from([found for found in leaves(document) if found[0]]))
    holder = document
    for part in path[:-1]:
        holder = holder[part]
    match data.draw(st.sampled_from(["drop", "change", "retype", "add"])):
        case "drop":
            del holder[path[-1]]
        case "change":
            holder[path[-1]] = f"{value}9" if isinstance(value, str) else "9" if isinstance(value, dict | list) else int(value) + 1
        case "retype":
            holder[path[-1]] = [value]
        case "add":
            holder.append("new") if isinstance(holder, list) else holder.update(new="new")
    return tree | {name: as_json(document)}
