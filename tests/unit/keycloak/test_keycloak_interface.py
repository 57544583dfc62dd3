"""The module's documentation, its action and the document's schema say the same as the code."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.action.keycloak_bootstrap import ActionModule
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.bootstrap import Request
from ansible_collections.gpuaas.parity.plugins.modules import keycloak_bootstrap as module
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import argument_spec
from ansible_collections.gpuaas.parity.tests.unit.keycloak.made_up_identity import PLATFORM, TEMPORARY, Identity
from jsonschema import Draft202012Validator


class Action(ActionModule):
    """The action without a task: check and diff mode are given."""

    def __init__(self, *, check: bool = False, diff: bool = False) -> None:
        self.given = check, diff

    @property
    def check_mode(self) -> bool:
        return self.given[0]

    @property
    def diff_mode(self) -> bool:
        return self.given[1]


def params(identity: Identity) -> dict[str, Any]:
    options = argument_spec(module.DOCUMENTATION)
    given = {"document": identity.document, "secrets_file": str(identity.secrets_file)}
    return {name: given.get(name, option.get("default")) for name, option in options.items()}


def test_options_are_what_a_run_takes() -> None:
    options = argument_spec(module.DOCUMENTATION)
    assert {field.name for field in dataclasses.fields(Request)} - {"check", "patience", "emit"} == set(options)
    assert options["bootstrap_client_id"]["default"] == TEMPORARY


def test_action_changes_then_does_not(identity: Identity) -> None:
    first = Action().perform(params(identity))
    assert first["changed"] is True and first["realm"] == "gpuaas"
    second = Action(diff=True).perform(params(identity))
    assert (second["changed"], second["changes"], second["diff"]) == (False, [], [])
    documented = yaml.safe_load(module.RETURN)
    assert documented.pop("extends_documentation_fragment") == ["gpuaas.parity.failure"]
    assert set(first) - {"changed"} == {name for name, entry in documented.items() if entry["returned"] == "success"}
    assert set(first["changes"][0]) == set(documented["changes"]["contains"])


def test_action_in_check_and_diff_mode(identity: Identity) -> None:
    result = Action(check=True, diff=True).perform(params(identity))
    assert result["changed"] is True and len(result["diff"]) == len(result["changes"])
    assert identity.keycloak.writes == []


def test_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(json.loads((PLATFORM / "realm.schema.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", ["realm.yml", "realm.schema.json"])
def test_document_belongs_to_every_mode(name: str) -> None:
    """Hosts and ports come from the mode."""
    text = (PLATFORM / name).read_text(encoding="utf-8")
    assert "localhost" not in text and "8443" not in text
