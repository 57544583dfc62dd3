"""In which security mode a process says that it runs, against the contract's word."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Observation
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.security_mode import SecurityMode
from ansible_collections.gpuaas.parity.tests.unit.checks.conftest import MakeContext
from ansible_collections.gpuaas.parity.tests.unit.checks.platform import Platform, contract

ROOT = {"scheme": "none", "primary": "", "versions": []}
TOLD = {"security": {"mode": "PROD", "member_keys": "devices", "root_key": ROOT}}


def _look(platform: Platform, make_context: MakeContext, told: Any, wanted: str = "PROD") -> Observation:
    platform.configuration = told
    document = contract(platform.port) | ({"security": wanted} if wanted else {})
    context = make_context(port=platform.port, contract=document)
    return SecurityMode("api", f"{platform.url('api')}/v1/configuration", "alice", "gpuaas-web").run(context)


def test_the_contracts_word(platform: Platform, make_context: MakeContext) -> None:
    found = _look(platform, make_context, TOLD)
    assert found.ok, found.seen
    assert found.seen == "the process of api runs in PROD: root key none, members' keys devices"


@pytest.mark.parametrize("wanted", ["LOCAL", "STAGING", ""])
def test_another_word(platform: Platform, make_context: MakeContext, wanted: str) -> None:
    found = _look(platform, make_context, TOLD, wanted)
    assert (found.ok, found.reason) == (False, "SECURITY_MODE_DRIFT")
    assert f"runs in PROD, the contract says {wanted or 'none'}" in found.seen


@pytest.mark.parametrize(
    "told",
    [{}, {"security": None}, {"security": {}}, {"security": {"mode": "PROD"}}, {"security": TOLD["security"] | {"root_key": "x"}}, []],
)
def test_no_word(platform: Platform, make_context: MakeContext, told: Any) -> None:
    found = _look(platform, make_context, told)
    assert (found.ok, found.reason) == (False, "SECURITY_MODE_DRIFT")
    assert "no word of a security mode" in found.seen
