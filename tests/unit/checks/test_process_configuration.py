"""What a process reports about its configuration, compared with the contract: names, types and digests, and never a value."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Context, Observation
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.types.process_configuration import (
    ProcessConfiguration,
    secret_digest,
    setting_digest,
)
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.tests.unit.checks.conftest import MakeContext
from ansible_collections.gpuaas.parity.tests.unit.checks.platform import SECRETS, Platform, contract

SETTINGS = {"GPUAAS_LEVEL": "info", "GPUAAS_PORT": "8000"}
TYPES = {"GPUAAS_LEVEL": "string", "GPUAAS_PORT": "port"}
KEYS = {"redis_password": "redis_password", "oidc_client_secret": "web_client_secret"}
SALT = "5a" * 16
URLS = {"api": "/v1/configuration", "web": "/configuration"}


def reported() -> dict[str, Any]:
    return {
        "salt": SALT,
        "settings": {k: {"type": TYPES[k], "hmac_sha256": setting_digest(k, v, SALT)} for k, v in SETTINGS.items()},
        "secrets": {key: {"hmac_sha256": secret_digest(key, SECRETS[name], SALT)} for key, name in KEYS.items()},
        "unread": [],
    }


def context_of(platform: Platform, make_context: MakeContext, **changes: Any) -> Context:
    document = contract(platform.port)
    for name in URLS:
        its = document["services"][name]
        its["settings"] = its["settings"] | SETTINGS if name == "web" else SETTINGS
        its["types"] = dict.fromkeys(its["settings"], "url") | TYPES
        its["secrets"] = KEYS
    return make_context(port=platform.port, contract=document, **changes)


def look(platform: Platform, context: Context, service: str = "api") -> Observation:
    return ProcessConfiguration(service, platform.url(service) + URLS[service], "alice", "gpuaas-web").run(context)


def test_the_digests_are_the_control_planes() -> None:
    """The same vectors as in the control plane's own tests."""
    salt = "00" * 16
    assert secret_digest("redis_password", "correct horse", salt) == "ccf5a99d232100916f00d18dbc21d6f574d493b6cb51b8253999f1e95996aa8a"
    assert setting_digest("GPUAAS_REDIS_PORT", "6379", salt) == "b867ea9707fdc5cbec233f62766fae696c9f73c3ac6964e286aa8260f11b4032"


def test_an_api_that_runs_with_the_contract(platform: Platform, make_context: MakeContext) -> None:
    platform.configuration = reported()
    found = look(platform, context_of(platform, make_context))
    assert found.ok, found.seen
    assert "2 settings and 2 secrets" in found.seen


def test_a_web_console_that_runs_with_the_contract(platform: Platform, make_context: MakeContext) -> None:
    context = context_of(platform, make_context)
    document = reported()
    for key, value in context.service("web")["settings"].items():
        type_name = context.service("web")["types"][key]
        document["settings"][key] = {"type": type_name, "hmac_sha256": setting_digest(key, value, SALT)}
    platform.configuration = document
    found = look(platform, context, "web")
    assert found.ok, found.seen


def _changed(*path: str, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        for part in path[:-1]:
            document = document[part]
        document[path[-1]] = to

    return change


def _without(part: str, name: str) -> Callable[[dict[str, Any]], None]:
    return lambda document: document[part].pop(name)


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        (_without("settings", "GPUAAS_PORT"), "lacks GPUAAS_PORT (settings)"),
        (_changed("settings", "GPUAAS_MORE", to={"type": "string", "hmac_sha256": "x"}), "has unknown GPUAAS_MORE (settings)"),
        (_changed("settings", "GPUAAS_LEVEL", "hmac_sha256", to="0" * 64), "runs with another value of setting GPUAAS_LEVEL"),
        (_changed("settings", "GPUAAS_PORT", "type", to="integer"), "reads GPUAAS_PORT as integer, the contract says port"),
        (_without("secrets", "redis_password"), "lacks redis_password (secrets)"),
        (_changed("secrets", "more", to={"hmac_sha256": "x"}), "has unknown more (secrets)"),
        (
            _changed("secrets", "redis_password", "hmac_sha256", to=secret_digest("redis_password", "the one before", SALT)),
            "runs with another value of secret redis_password",
        ),
        (
            # The right value under the wrong name is another secret.
            _changed("secrets", "redis_password", "hmac_sha256", to=secret_digest("password", SECRETS["redis_password"], SALT)),
            "runs with another value of secret redis_password",
        ),
        # Digests that were salted otherwise, such as those of another process.
        (_changed("salt", to="00" * 16), "runs with another value of setting GPUAAS_LEVEL, GPUAAS_PORT"),
        (_changed("unread", to=["GPUAAS_X"]), "does not read GPUAAS_X"),
    ],
)
def test_a_process_that_runs_with_something_else(
    platform: Platform, make_context: MakeContext, change: Callable[[dict[str, Any]], None], seen: str
) -> None:
    document = copy.deepcopy(reported())
    change(document)
    platform.configuration = document
    found = look(platform, context_of(platform, make_context))
    assert (found.ok, found.reason) == (False, "CONFIGURATION_DRIFT")
    assert seen in found.seen
    for value in [*SECRETS.values(), *(item["hmac_sha256"] for item in reported()["secrets"].values())]:
        assert value not in found.seen


@pytest.mark.parametrize(
    "document",
    [
        ["odd"],
        {},
        {"salt": SALT, "settings": {}, "unread": []},
        {"salt": SALT, "settings": {"A": "x"}, "secrets": {}, "unread": []},
        {"settings": {}, "secrets": {}, "unread": []},
        {"salt": "salt", "settings": {}, "secrets": {}, "unread": []},
    ],
)
def test_another_document(platform: Platform, make_context: MakeContext, document: Any) -> None:
    platform.configuration = document
    found = look(platform, context_of(platform, make_context))
    assert found.reason == "CONFIGURATION_DRIFT"
    assert "200, not a list of settings and secrets" in found.seen


def test_a_refusal(platform: Platform, make_context: MakeContext) -> None:
    platform.fault = "forbidden"
    found = look(platform, context_of(platform, make_context))
    assert found.reason == "CONFIGURATION_DRIFT"
    assert "403" in found.seen


def test_a_rendering_without_types_is_no_proof(platform: Platform, make_context: MakeContext) -> None:
    platform.configuration = reported()
    context = context_of(platform, make_context)
    del context.contract["services"]["api"]["types"]
    with pytest.raises(ParityError) as error:
        look(platform, context)
    assert error.value.reason == "CONTRACT_NOT_RENDERED"


def test_a_secret_without_a_value_here_is_no_proof(platform: Platform, make_context: MakeContext) -> None:
    platform.configuration = reported()
    context = context_of(
        platform, make_context, secret={name: value for name, value in SECRETS.items() if name != "redis_password"}.__getitem__
    )
    with pytest.raises(ParityError) as error:
        look(platform, context)
    assert error.value.reason == "SECRETS_EXPOSED"
    assert "redis_password" in error.value.seen
