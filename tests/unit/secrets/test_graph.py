"""What a contract may say of secrets that lead to others, and what follows from which."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets import graph

KEY, RING, PASSWORD = ({"type": name} for name in ("key", "keyring", "password"))


def derived(parent: str, type_: str = "key") -> dict[str, str]:
    return {"type": type_, "derived_from": parent}


def wrapped(parent: str, type_: str = "password") -> dict[str, str]:
    return {"type": type_, "wrapped_by": parent}


GOOD: dict[str, dict[str, Any]] = {
    "root": KEY,
    "second": derived("root"),
    "third": derived("second", "password"),
    "other": derived("root", "password"),
    "ring": wrapped("second", "keyring"),
    "token": wrapped("ring"),
}


def test_what_leads_to_a_key_or_keyring_is_right() -> None:
    assert list(graph.faults(GOOD)) == []


@pytest.mark.parametrize(
    ("secrets", "reason", "name", "field", "text"),
    [
        ({"a": {"type": "pin"}}, "CONTRACT_INVALID", "a", "type", "key, keyring, password"),
        ({"a": derived("gone")}, "CONTRACT_REFERENCE", "a", "derived_from", "no secret gone is defined"),
        ({"a": wrapped("gone")}, "CONTRACT_REFERENCE", "a", "wrapped_by", "no secret gone is defined"),
        ({"a": derived("b"), "b": PASSWORD}, "CONTRACT_INVALID", "a", "derived_from", "b is a password, and must be a key"),
        ({"a": derived("b"), "b": RING}, "CONTRACT_INVALID", "a", "derived_from", "b is a keyring, and must be a key"),
        ({"a": wrapped("b"), "b": PASSWORD}, "CONTRACT_INVALID", "a", "wrapped_by", "must be a key or keyring"),
        ({"a": derived("b", "keyring"), "b": KEY}, "CONTRACT_INVALID", "a", "derived_from", "a keyring, which cannot be derived"),
        ({"a": derived("b") | wrapped("b"), "b": KEY}, "CONTRACT_INVALID", "a", "wrapped_by", "what is derived is not stored"),
        ({"a": derived("a")}, "CONTRACT_CYCLE", "a", "derived_from", "a -> a"),
        ({"c": derived("a"), "b": wrapped("c", "key"), "a": derived("b")}, "CONTRACT_CYCLE", "a", "derived_from", "a -> b -> c -> a"),
    ],
)
def test_what_cannot_be_is_named_once(secrets: dict[str, Any], reason: str, name: str, field: str, text: str) -> None:
    (fault,) = graph.faults(secrets)
    assert fault[:3] == (reason, name, field) and text in fault.text
    with pytest.raises(ParityError) as caught:
        graph.refuse(secrets)
    assert caught.value.reason == reason and f"secrets.{name}.{field}: " in caught.value.seen


def test_a_secret_that_leads_into_a_circle_is_not_part_of_it() -> None:
    secrets = {"a": derived("b"), "b": derived("c"), "c": derived("b")}
    assert [(fault.name, fault.text) for fault in graph.faults(secrets)] == [("b", "b -> c -> b")]


def test_what_follows_from_a_secret() -> None:
    assert graph.derived_of(GOOD, "root") == ["other", "second", "third"]
    assert graph.derived_of(GOOD, "ring") == []
    assert [graph.origin_of(GOOD, name) for name in ("root", "third", "ring")] == ["root", "root", "ring"]
