"""Who may read a secret is who uses it, found and not listed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.render import render
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.tests.unit.contract import reference
from ansible_collections.gpuaas.parity.tests.unit.contract.small_platform import Platform

REALM = """\
users: {anna: {password: anna_password}}
clients: {shop: {secret: shop_secret}}
admin: {username: root, password: admin_password}
"""


def readers(platform: Platform) -> dict[str, list[str]]:
    """Readers by secret, as contract.json says them."""
    platform.write()
    document = json.loads(render(platform.folder, "kind", "core").tree["contract.json"])
    return {name: secret["readers"] for name, secret in document["secrets"].items()}


def with_realm(platform: Platform) -> Platform:
    (platform.folder / "realm.yml").write_text(REALM)
    for name in ("anna_password", "shop_secret", "admin_password"):
        platform.platform["secrets"][name] = {"type": "password", "means": "x"}
    return platform


def test_component_that_uses_a_secret_reads_it(platform: Platform) -> None:
    assert readers(platform) == {"db_password": ["api", "db"], "cookie_key": ["api"]}


def test_component_that_uses_it_no_more_does_not(platform: Platform) -> None:
    platform.platform["services"]["db"]["secrets"] = {}
    platform.edit("db", "db.yaml", "secret: {secretName: db-secrets, items: [{key: password, path: password}]}", "emptyDir: {}")
    assert readers(platform)["db_password"] == ["api"]


def test_secret_is_the_same_wherever_it_is_defined(platform: Platform) -> None:
    before = readers(platform)
    secret: dict[str, Any] = platform.platform["secrets"].pop("cookie_key")
    platform.platform["services"]["api"]["secrets"]["cookie"].update(secret)
    assert readers(platform) == before


def test_realm_counts_as_a_reader(platform: Platform) -> None:
    found = readers(with_realm(platform))
    assert found["anna_password"] == found["shop_secret"] == ["identity", "validate"]


def test_checks_never_log_in_as_the_administrator(platform: Platform) -> None:
    assert readers(with_realm(platform))["admin_password"] == ["identity"]


def test_components_come_before_who_is_outside(platform: Platform) -> None:
    with_realm(platform).platform["services"]["db"]["secrets"]["password"]["secret"] = "shop_secret"
    assert readers(platform)["shop_secret"] == ["db", "identity", "validate"]


def test_secret_that_the_realm_is_entered_with_at_first(platform: Platform) -> None:
    start = {"secret": "start", "type": "password", "means": "x"}
    with_realm(platform).platform["services"]["db"]["secrets"] = {"bootstrap_admin_client_secret": start}
    platform.edit("db", "db.yaml", "key: password", "key: bootstrap_admin_client_secret")
    assert readers(platform)["start"] == ["db", "identity"]


def test_a_person_is_taken_at_their_word(platform: Platform) -> None:
    platform.platform["secrets"]["cookie_key"]["operator"] = True
    assert readers(platform)["cookie_key"] == ["api", "operator"]


def test_word_for_a_person_is_given_to_nobody_else(platform: Platform) -> None:
    platform.platform["secrets"]["cookie_key"]["operator"] = False
    platform.write()
    with pytest.raises(ParityError) as caught:
        render(platform.folder, "kind", "core")
    assert caught.value.reason == "CONTRACT_INVALID"
    assert "platform/platform.yml: secrets.cookie_key.operator (line " in caught.value.seen


def test_every_secret_of_the_reference_platform_is_read_by_somebody() -> None:
    secrets = reference.PLATFORM.contract.secrets
    # What others are derived from may have no other use.
    origins = {secret.get("derived_from") for secret in secrets.values()}
    assert [name for name, secret in secrets.items() if not secret["readers"] and name not in origins] == []
