"""Secrets that lead to others in a platform's files: what cannot be is refused with its file and field."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.render import render
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.tests.unit.contract.small_platform import Platform

ROOT = {"root_key": {"type": "key", "means": "x"}, "ring": {"type": "keyring", "means": "x"}}


def refused(platform: Platform) -> ParityError:
    platform.write()
    with pytest.raises(ParityError) as caught:
        render(platform.folder, "kind", "core")
    return caught.value


def test_the_contract_says_what_a_secret_follows_from(platform: Platform) -> None:
    platform.platform["secrets"] |= ROOT
    platform.platform["secrets"]["cookie_key"] |= {"derived_from": "root_key"}
    platform.platform["secrets"]["shop_secret"] = {"type": "password", "wrapped_by": "ring", "means": "x"}
    platform.write()
    secrets = json.loads(render(platform.folder, "kind", "core").tree["contract.json"])["secrets"]
    assert secrets["cookie_key"]["derived_from"] == "root_key" and secrets["shop_secret"]["wrapped_by"] == "ring"


@pytest.mark.parametrize(
    ("said", "reason", "text"),
    [
        ({"derived_from": "gone"}, "CONTRACT_REFERENCE", "secrets.cookie_key.derived_from (line "),
        ({"wrapped_by": "gone"}, "CONTRACT_REFERENCE", "secrets.cookie_key.wrapped_by (line "),
        ({"derived_from": "ring"}, "CONTRACT_INVALID", "secrets.cookie_key.derived_from (line "),
        ({"derived_from": "root_key", "wrapped_by": "ring"}, "CONTRACT_INVALID", "secrets.cookie_key.wrapped_by (line "),
        ({"derived_from": "cookie_key"}, "CONTRACT_CYCLE", "secrets.cookie_key.derived_from (line "),
        ({"derived_from": ["root_key"]}, "CONTRACT_INVALID", "secrets.cookie_key.derived_from (line "),
        ({"type": "key256"}, "CONTRACT_INVALID", "must be one of key, keyring, password"),
    ],
)
def test_what_cannot_be_is_refused_by_file_and_field(platform: Platform, said: dict[str, Any], reason: str, text: str) -> None:
    platform.platform["secrets"] |= ROOT
    platform.platform["secrets"]["cookie_key"] |= said
    error = refused(platform)
    assert error.reason == reason
    assert "platform/platform.yml: secrets.cookie_key." in error.seen and text in error.seen


def test_a_component_says_it_in_its_own_file(platform: Platform) -> None:
    platform.platform["services"]["api"]["secrets"]["extra"] = {
        "secret": "extra_key",
        "type": "key",
        "means": "x",
        "derived_from": "gone",
    }
    error = refused(platform)
    assert error.reason == "CONTRACT_REFERENCE"
    assert "components/api/component.yml: secrets.extra.derived_from (line " in error.seen


def test_who_uses_a_secret_does_not_say_what_it_follows_from(platform: Platform) -> None:
    platform.platform["services"]["api"]["secrets"]["cookie"] = {"secret": "cookie_key", "derived_from": "root_key"}
    assert "has derived_from, and lacks type" in refused(platform).seen


@pytest.mark.parametrize("key", ["derived_from", "wrapped_by"])
def test_a_mode_has_no_say_in_it(platform: Platform, key: str) -> None:
    platform.mode["placement"] = {"api": {key: "root_key"}}
    assert refused(platform).reason == "MODE_OVERRIDES_CONTRACT"
