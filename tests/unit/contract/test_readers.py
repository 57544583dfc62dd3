"""Who uses a secret may read it, and who may read it uses it."""

from __future__ import annotations

import json

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.load import load_contract, read_source
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.readers import OUTSIDE, check_readers
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.render import render
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.tests.unit.contract.small_platform import REPOSITORY, Platform

REALM = """\
users: {anna: {password: anna_password}}
clients: {shop: {secret: shop_secret}}
admin: {username: root, password: admin_password}
"""


def refused(platform: Platform) -> str:
    platform.write()
    with pytest.raises(ParityError) as caught:
        render(platform.folder, "kind", "core", platform.roles)
    assert caught.value.reason == "CONTRACT_READERS"
    return caught.value.seen


def with_realm(platform: Platform) -> Platform:
    (platform.folder / "realm.yml").write_text(REALM)
    for name, readers in {
        "anna_password": ["identity", "operator", "validate"],
        "shop_secret": ["identity", "validate"],
        "admin_password": ["identity"],
    }.items():
        platform.platform["secrets"][name] = {"kind": "password", "readers": readers, "means": "x"}
    return platform


def test_own_contract_holds() -> None:
    contract = load_contract(REPOSITORY / "contract")
    check_readers(contract, read_source(REPOSITORY / "contract" / "realm.yml", REPOSITORY / "contract"))


def test_service_that_uses_a_secret_and_may_not_read_it(platform: Platform) -> None:
    platform.platform["secrets"]["db_password"]["readers"] = ["db"]
    seen = refused(platform)
    assert "contract/platform.yml: secrets.db_password.readers (line " in seen
    assert "lacks api, which uses it at services.api.secrets.database" in seen


def test_reader_that_does_not_use_it(platform: Platform) -> None:
    platform.platform["secrets"]["cookie_key"]["readers"] = ["api", "db"]
    assert "secrets.cookie_key.readers.1 (line " in (seen := refused(platform))
    assert "db does not use it" in seen


def test_reader_that_nobody_is(platform: Platform) -> None:
    platform.platform["secrets"]["cookie_key"]["readers"] = ["api", "somebody"]
    assert "somebody is no service" in refused(platform)


@pytest.mark.parametrize("readers", [[], ["api", "api"], "api", ["API"], None])
def test_list_of_the_wrong_shape(platform: Platform, readers: object) -> None:
    platform.platform["secrets"]["cookie_key"]["readers"] = readers
    platform.write()
    with pytest.raises(ParityError) as caught:
        render(platform.folder, "kind", "core", platform.roles)
    assert caught.value.reason == "CONTRACT_INVALID" and "secrets.cookie_key.readers" in caught.value.seen


def test_secret_without_readers(platform: Platform) -> None:
    del platform.platform["secrets"]["cookie_key"]["readers"]
    platform.write()
    with pytest.raises(ParityError) as caught:
        render(platform.folder, "kind", "core", platform.roles)
    assert caught.value.reason == "CONTRACT_INVALID" and "lacks readers" in caught.value.seen


def test_realm_counts_as_a_reader(platform: Platform) -> None:
    with_realm(platform).write()
    document = json.loads(render(platform.folder, "kind", "core", platform.roles).tree["contract.json"])
    assert document["secrets"]["shop_secret"]["readers"] == ["identity", "validate"]


@pytest.mark.parametrize(
    ("name", "lost", "place"),
    [
        ("anna_password", "identity", "contract/realm.yml: users.anna.password (line 1)"),
        ("anna_password", "validate", "contract/realm.yml: users.anna.password (line 1)"),
        ("shop_secret", "validate", "contract/realm.yml: clients.shop.secret (line 2)"),
        ("admin_password", "identity", "contract/realm.yml: admin.password (line 3)"),
    ],
)
def test_realm_that_uses_a_secret_and_may_not_read_it(platform: Platform, name: str, lost: str, place: str) -> None:
    readers = with_realm(platform).platform["secrets"][name]["readers"]
    readers[:] = [reader for reader in readers if reader != lost] or ["operator"]
    assert f"lacks {lost}, which uses it at {place}" in refused(platform)


@pytest.mark.parametrize("reader", ["identity", "validate"])
def test_secret_that_the_realm_does_not_name(platform: Platform, reader: str) -> None:
    with_realm(platform).platform["secrets"]["cookie_key"]["readers"] = ["api", reader]
    assert f"{reader} does not use it" in refused(platform)


def test_checks_never_log_in_as_the_administrator(platform: Platform) -> None:
    with_realm(platform).platform["secrets"]["admin_password"]["readers"] = ["identity", "validate"]
    assert "validate does not use it" in refused(platform)


def test_secret_that_the_realm_is_entered_with_at_first(platform: Platform) -> None:
    with_realm(platform).platform["secrets"]["start"] = {"kind": "password", "readers": ["db"], "means": "x"}
    platform.platform["services"]["db"]["secrets"]["bootstrap_admin_client_secret"] = {"secret": "start"}
    assert "lacks identity, which uses it at services.db.secrets.bootstrap_admin_client_secret" in refused(platform)


def test_a_person_is_taken_at_their_word(platform: Platform) -> None:
    platform.platform["secrets"]["cookie_key"]["readers"] = ["api", "operator"]
    platform.write()
    render(platform.folder, "kind", "core", platform.roles)


def test_readers_outside_are_those_of_the_schema() -> None:
    schema = json.loads((REPOSITORY / "contract" / "secrets.schema.json").read_text())
    assert set(schema["x-readers"]) == set(OUTSIDE)


def test_no_service_bears_the_name_of_a_reader_outside() -> None:
    assert not set(load_contract(REPOSITORY / "contract").services) & set(OUTSIDE)
