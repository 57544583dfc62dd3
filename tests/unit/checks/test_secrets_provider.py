# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From whom a process says that it has its secrets, against the contract."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Observation
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types import secrets_provider
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.secrets_provider import SecretsProvider
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Completed
from ansible_collections.gpuaas.parity.tests.unit.checks.conftest import MakeContext
from ansible_collections.gpuaas.parity.tests.unit.checks.platform import Platform, contract

SERVER = "https://keeper.test:8443"
FILES = {"provider": "files", "read": ["database_password"], "server": "", "folder": "", "method": ""}
ASKED = {"provider": "infisical", "read": ["database_password"], "server": SERVER, "folder": "/api", "method": "oidc"}


def _context(platform: Platform, make_context: MakeContext, identity: str) -> Any:
    document = contract(platform.port)
    document["services"]["api"] |= {"secrets": {"database_password": "x"}} | ({"identity": identity} if identity else {})
    return make_context(port=platform.port, contract=document)


def _look(platform: Platform, make_context: MakeContext, told: Any, identity: str) -> Observation:
    platform.configuration = told
    context = _context(platform, make_context, identity)
    return SecretsProvider("api", f"{platform.url('api')}/v1/configuration", "alice", "gpuaas-web").run(context)


@pytest.mark.parametrize(("told", "identity"), [(FILES, ""), (ASKED, SERVER)])
def test_where_the_contract_says(platform: Platform, make_context: MakeContext, told: dict[str, Any], identity: str) -> None:
    found = _look(platform, make_context, {"secrets_from": told}, identity)
    assert found.ok, found.seen
    assert "read 1 secrets from" in found.seen


@pytest.mark.parametrize(
    ("told", "identity", "seen"),
    [
        (FILES, SERVER, f"has its secrets from files, the contract says infisical {SERVER} oidc"),
        (ASKED, "", f"has its secrets from infisical {SERVER} oidc, the contract says files"),
        (ASKED | {"server": "https://elsewhere"}, SERVER, "from infisical https://elsewhere oidc, the contract"),
        # A client secret where a token should have been shown.
        (ASKED | {"method": "universal"}, SERVER, "universal, the contract says"),
        (ASKED | {"method": ""}, SERVER, "the contract says"),
        (ASKED | {"read": []}, SERVER, "read no secret"),
        (ASKED | {"read": ["database_password", "client_secret"]}, SERVER, "read client_secret, which"),
    ],
)
def test_elsewhere(platform: Platform, make_context: MakeContext, told: dict[str, Any], identity: str, seen: str) -> None:
    found = _look(platform, make_context, {"secrets_from": told}, identity)
    assert (found.ok, found.reason) == (False, "SECRETS_PROVIDER_DRIFT")
    assert seen in found.seen


@pytest.mark.parametrize("told", [{}, {"secrets_from": None}, {"secrets_from": {"provider": "files"}}, []])
def test_no_word(platform: Platform, make_context: MakeContext, told: Any) -> None:
    found = _look(platform, make_context, told, "")
    assert (found.ok, found.reason) == (False, "SECRETS_PROVIDER_DRIFT")
    assert "no word" in found.seen


@pytest.mark.parametrize(
    ("rc", "stdout", "ok"),
    [(0, json.dumps(ASKED), True), (0, json.dumps(FILES), False), (1, json.dumps(ASKED), False), (0, "", False), (0, "[]", False)],
)
def test_a_process_without_an_api_tells_it_in_its_container(
    platform: Platform, make_context: MakeContext, monkeypatch: pytest.MonkeyPatch, rc: int, stdout: str, ok: bool
) -> None:
    monkeypatch.setattr(secrets_provider, "run_inside", lambda *_given: ("pod api", Completed(stdout, "", rc)))
    found = SecretsProvider("api", command=["ask"]).run(_context(platform, make_context, SERVER))
    assert found.ok is ok
    assert ok or found.reason == "SECRETS_PROVIDER_DRIFT"


@pytest.mark.parametrize("given", [{}, {"url": "https://x"}, {"url": "https://x", "user": "u", "client": "c", "command": ["x"]}])
def test_somebody_has_to_tell_it(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="either url"):
        SecretsProvider("api", **given)
