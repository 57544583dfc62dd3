"""The types of secrets: defined once, and what each makes of a value."""

from __future__ import annotations

import json
import random

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.load import read_schema
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.entries import problem
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.types.keyring import KEYRING
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.types.table import TYPES, make, random_part
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.types.text import KEY
from hypothesis import given
from hypothesis import strategies as st

KEYS = [KEY.encode(random.Random(number).randbytes(32)) for number in range(3)]


def test_the_contract_admits_exactly_the_types_that_there_are() -> None:
    of_platform = read_schema("platform")["properties"]["secrets"]["additionalProperties"]
    of_component = read_schema("component")["$defs"]["secret"]
    admitted = set(of_platform["properties"]["type"]["enum"])
    assert admitted == set(of_component["properties"]["type"]["enum"]) == set(TYPES)


@pytest.mark.parametrize("type_", sorted(TYPES))
def test_generated_values_are_of_their_type_and_differ(type_: str) -> None:
    made = {make(type_) for _round in range(100)}
    assert len(made) == 100
    assert {problem(TYPES[type_], value) for value in made} == {""}


@pytest.mark.parametrize("type_", sorted(TYPES))
def test_a_value_survives_its_form_in_the_file(type_: str) -> None:
    value, kind = make(type_), TYPES[type_]
    assert kind.text(json.loads(json.dumps(kind.stored(value)))) == value


@pytest.mark.parametrize("type_", ["key", "password"])
def test_a_text_is_replaced(type_: str) -> None:
    part = random_part(type_)
    assert TYPES[type_].renew(make(type_), part) == part


@given(rotations=st.integers(1, 20))
def test_a_keyring_keeps_every_version_and_uses_the_newest(rotations: int) -> None:
    parts = [random_part("keyring") for _round in range(rotations)]
    ring = ""
    for number, part in enumerate(parts, 1):
        before, ring = ring, KEYRING.renew(ring or None, part)
        primary, keys = KEYRING.keys(ring)
        assert (primary, len(keys)) == (number, number) and keys[primary] == KEY.read(part)
        assert not before or KEYRING.keys(before)[1].items() <= keys.items()
    assert problem(KEYRING, ring) == ""


def test_the_key_in_use_is_no_new_version() -> None:
    ring = KEYRING.renew(None, KEYS[0])
    assert KEYRING.renew(ring, KEYS[0]) == ring


def test_a_version_comes_after_all_others_whichever_is_in_use() -> None:
    ring = json.dumps({"primary": 1, "keys": {"10": KEYS[0], "1": KEYS[1]}})
    renewed = json.loads(KEYRING.renew(ring, KEYS[2]))
    assert renewed["primary"] == 11 and list(renewed["keys"]) == ["1", "10", "11"]


@pytest.mark.parametrize(
    "ring",
    [
        {},
        [],
        {"primary": 1, "keys": {}},
        {"primary": 1},
        {"primary": "1", "keys": {"1": KEYS[0]}},
        {"primary": 0, "keys": {"0": KEYS[0]}},
        {"primary": 2, "keys": {"1": KEYS[0]}},
        {"primary": 1, "keys": {"01": KEYS[0]}},
        {"primary": 1, "keys": {KEYS[0]: "1"}},
        {"primary": 1, "keys": {"1": KEYS[0][:-4]}},
        {"primary": 1, "keys": {"1": "A" * 43 + "="}},
        {"primary": 1, "keys": {"1": KEYS[0], "2": KEYS[0]}},
        {"primary": 1, "keys": {"1": KEYS[0]}, "more": 1},
    ],
)
def test_a_keyring_that_is_none_is_refused_and_not_quoted(ring: object) -> None:
    text = problem(KEYRING, json.dumps(ring))
    assert text and KEYS[0][:-4] not in text


def test_a_text_that_is_no_json_is_no_keyring() -> None:
    assert problem(KEYRING, "{").startswith("must be {primary")
