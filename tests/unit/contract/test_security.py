"""Security modes: one explicit word, which decides who holds keys, and which combinations are no platform."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.compare.compare import Difference
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.compare.diff import differences
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import load_platform
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.resolve import Resolved, resolve
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.render import render_mode
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.tests.unit.contract import reference
from ansible_collections.gpuaas.parity.tests.unit.contract.small_platform import REPOSITORY, Platform

TABLE = {
    "LOCAL": {"key_provider": "file:///run/secrets/shop/root", "member_keys": "escrow"},
    "STAGING": {"key_provider": "awskms:alias/shop?region=eu-central-1", "member_keys": "escrow"},
    "PROD": {"key_provider": "none", "member_keys": "devices"},
}
KMS = "awskms:alias/shop/production?region=eu-central-1"


def _set(platform: Platform, word: str, domain: str = "shop.localhost") -> None:
    platform.platform["security"] = {mode: dict(keys) for mode, keys in TABLE.items()}
    platform.mode |= {"security": word, "domain": domain}
    platform.setting("APP_MODE", type="string", value="${security}")
    platform.setting("APP_ROOT", type="string", value="${key_provider}")
    platform.setting("APP_MEMBERS", type="string", value="${member_keys}")


def _resolved(platform: Platform, security: str = "") -> Resolved:
    read = load_platform(platform.write().folder)
    return resolve(read.contract, read.mode("kind", security=security))


@pytest.mark.parametrize("word", TABLE)
def test_the_word_decides_who_holds_keys(platform: Platform, word: str) -> None:
    _set(platform, word)
    found = _resolved(platform)
    settings = found["services"]["api"]["settings"]
    assert (settings["APP_MODE"], settings["APP_ROOT"], settings["APP_MEMBERS"]) == (word, *TABLE[word].values())
    assert found["security"] == word
    assert "asked_security" not in found


def test_another_word_that_is_asked_for(platform: Platform) -> None:
    """It brings its own keys, not those that the file says for its own word."""
    _set(platform, "STAGING")
    platform.mode["key_provider"] = KMS
    assert _resolved(platform)["services"]["api"]["settings"]["APP_ROOT"] == KMS
    found = _resolved(platform, "PROD")
    assert (found["security"], found["asked_security"]) == ("PROD", "PROD")
    assert found["services"]["api"]["settings"]["APP_ROOT"] == "none"
    assert _resolved(platform, "STAGING") == _resolved(platform)


def test_a_secret_of_some_security_modes_alone(platform: Platform) -> None:
    _set(platform, "LOCAL")
    platform.platform["services"]["api"]["secrets"]["root"] = {"secret": "root", "security": ["LOCAL"]}
    platform.platform["secrets"]["root"] = {"type": "keyring", "means": "Root key"}
    assert "root" in _resolved(platform)["services"]["api"]["secrets"]
    found = _resolved(platform, "PROD")
    assert "root" not in found["services"]["api"]["secrets"]
    # Which secrets exist does not depend on it, so that none is dropped on the way there and back.
    assert "root" in found["secrets"]


@pytest.mark.parametrize(
    ("change", "where", "seen"),
    [
        (lambda p: p.mode.pop("security"), "platform/modes/kind.yml", "nothing is assumed"),
        (lambda p: p.platform["security"].pop("PROD"), "security", "must be one of LOCAL, STAGING"),
        (lambda p: p.platform["security"]["PROD"].update(key_provider="file:///root"), "key_provider", "is a file, and security is PROD"),
        (lambda p: p.mode.update(key_provider="file:///root"), "platform/modes/kind.yml: key_provider", "is a file, and security is PROD"),
        (lambda p: p.platform["security"]["PROD"].update(member_keys="escrow"), "member_keys", "is escrow, and security is PROD"),
        (lambda p: p.mode.update(security="LOCAL", domain="shop.example"), "security", "not under .localhost"),
        (lambda p: p.mode.update(security="LOCAL", domain="localhost.example"), "security", "not under .localhost"),
        (lambda p: p.mode.update(security="LOCAL", domain="shop-localhost"), "security", "not under .localhost"),
        (lambda p: p.mode.update(security="STAGING", key_provider="file:///root"), "key_provider", "is a file, and security is STAGING"),
        (lambda p: p.mode.update(security="STAGING", key_provider="none"), "key_provider", "nothing to wrap them with"),
        (lambda p: p.platform.pop("security"), "security", "says of no security mode"),
    ],
)
def test_refused(platform: Platform, change: Callable[[Platform], Any], where: str, seen: str) -> None:
    """Before anything is made."""
    _set(platform, "PROD")
    for name in ("APP_MODE", "APP_ROOT", "APP_MEMBERS"):
        platform.platform["services"]["api"]["settings"].pop(name)
    change(platform)
    with pytest.raises(ParityError) as caught:
        _resolved(platform)
    assert caught.value.reason == "SECURITY_REFUSED"
    assert where in caught.value.seen
    assert seen in caught.value.seen


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p.mode.update(security="prod"),
        lambda p: p.mode.update(security="DEV"),
        lambda p: p.mode.update(security=["PROD"]),
        lambda p: p.mode.update(key_provider="vault:x"),
        lambda p: p.mode.update(key_provider=""),
        lambda p: p.mode.update(member_keys="escrow"),
    ],
)
def test_no_such_word(platform: Platform, change: Callable[[Platform], Any]) -> None:
    _set(platform, "PROD")
    change(platform)
    with pytest.raises(ParityError) as caught:
        _resolved(platform)
    assert caught.value.reason == "MODE_INVALID"


# -- the reference platform ---------------------------------------------------

WORDS = {"compose": "LOCAL", "kind": "LOCAL", "vm-105": "STAGING", "platform_control": "PROD"}


@pytest.mark.parametrize("mode", WORDS)
def test_each_mode_says_its_word(mode: str) -> None:
    found = resolve(reference.PLATFORM.contract, reference.PLATFORM.mode(mode))
    assert found["security"] == WORDS[mode]
    for name in ("api", "web"):
        assert found["services"][name]["settings"]["GPUAAS_SECURITY_MODE"] == WORDS[mode]


@pytest.mark.parametrize("mode", ["compose", "kind"])
def test_prod_here_has_no_root_key_in_it(mode: str) -> None:
    """No service is handed one, and no file of the rendering names one."""
    prod = reference.PLATFORM.mode(mode, security="PROD")
    rendering = render_mode(reference.PLATFORM, prod, "async")
    settings = rendering.contract["services"]["api"]["settings"]
    assert (settings["GPUAAS_KEY_PROVIDER"], settings["GPUAAS_MEMBER_KEYS"]) == ("none", "devices")
    kept = {name for name, data in rendering.tree.items() if b"root_keyring" in data}
    assert kept == {"contract.json"}
    assert "root_keyring" not in str(rendering.contract["services"])
    local = render_mode(reference.PLATFORM, reference.PLATFORM.mode(mode), "async")
    assert {name for name, data in local.tree.items() if b"root_keyring" in data} - kept


def test_only_a_matter_of_security_differs() -> None:
    """LOCAL here against PROD there: allowed, and told as what it is."""
    found = [one for one in differences(reference.PLATFORM, "kind", "platform_control", "core") if one.group == "security"]
    assert {one.path for one in found} == {
        "security",
        "services.api.secrets.root_keyring",
        "services.api.settings.GPUAAS_KEY_PROVIDER",
        "services.api.settings.GPUAAS_MEMBER_KEYS",
        "services.api.settings.GPUAAS_SECURITY_MODE",
        "services.web.settings.GPUAAS_SECURITY_MODE",
    }
    assert Difference("security", "security", "LOCAL", "PROD") in found


def test_in_one_security_mode_nothing_of_it_differs() -> None:
    found = [one for one in differences(reference.PLATFORM, "kind", "compose", "core", "PROD") if one.group in ("security", "meaning")]
    assert found == []


def test_the_platform_speaks_of_every_word() -> None:
    assert set(load_platform(REPOSITORY / "platform").contract.security) == {"LOCAL", "STAGING", "PROD"}
