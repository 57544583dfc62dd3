"""A rotated secret reaches Keycloak, the administrator's own password among them, whatever ends in between."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets import previous
from ansible_collections.gpuaas.parity.tests.unit.keycloak.made_up_identity import TEMPORARY, TEMPORARY_SECRET, Identity, values

ADMIN = "keycloak_admin_password"
NEW = "rotated-0123456789-abcdefghijk"
OLD_REQUESTS = 20
"""More than a run with a replaced administrator's password sends."""


def rotate(identity: Identity, name: str, value: str = NEW, old: str = "") -> Path:
    """As ``secret_rotate`` does."""
    file = previous.beside(identity.secrets_file)
    previous.remember(file, {name: old or values()[name]})
    identity.set_secret(name, value)
    return file


def changes(identity: Identity, **options: object) -> list[tuple[str, str, str, list[str]]]:
    return [(c.action, c.kind, c.name, c.summary()["fields"]) for c in identity.run(**options).changes]


def test_admin_password(settled: Identity) -> None:
    file = rotate(settled, ADMIN)
    assert changes(settled) == [("update", "admin", "admin", ["password"])]
    assert settled.master.users["admin"]["password"] == NEW
    assert not file.exists()
    assert settled.run().changes == []


def test_admin_password_that_was_replaced_more_than_once(settled: Identity) -> None:
    rotate(settled, ADMIN, "rotated-once-0123456789-abcdef")
    file = rotate(settled, ADMIN, old="rotated-once-0123456789-abcdef")
    settled.run()
    assert settled.master.users["admin"]["password"] == NEW
    assert not file.exists()


@pytest.mark.parametrize("applied", [False, True], ids=["request lost", "answer lost"])
@pytest.mark.parametrize("after", range(OLD_REQUESTS))
def test_interrupted_change_of_the_admin_password_converges(settled: Identity, after: int, applied: bool) -> None:
    file = rotate(settled, ADMIN)
    settled.keycloak.cut_after, settled.keycloak.cut_applied = after, applied
    try:
        settled.run()
    except ParityError as failure:
        assert failure.reason == "KEYCLOAK_UNREACHABLE"
        assert file.exists()
    settled.keycloak.cut_after = None
    settled.run()
    assert settled.master.users["admin"]["password"] == NEW
    assert not file.exists()
    settled.keycloak.log.clear()
    assert settled.run().changes == []
    assert settled.keycloak.writes == []


def test_check_mode_changes_nothing(settled: Identity) -> None:
    file = rotate(settled, ADMIN)
    assert changes(settled, check=True) == [("update", "admin", "admin", ["password"])]
    assert settled.keycloak.writes == []
    assert settled.master.users["admin"]["password"] == values()[ADMIN]
    assert file.exists()


def test_diff_shows_no_password(settled: Identity) -> None:
    rotate(settled, ADMIN)
    told = str([change.diff() for change in settled.run(check=True).changes])
    assert NEW not in told and values()[ADMIN] not in told and "admin" in told


def test_neither_password_is_accepted(settled: Identity) -> None:
    file = rotate(settled, ADMIN)
    settled.master.set_password(settled.master.users["admin"], "changed-in-the-console")
    with pytest.raises(ParityError) as caught:
        settled.run()
    assert caught.value.reason == "KEYCLOAK_AUTH"
    assert not any(value in str(caught.value) for value in (NEW, *values().values()))
    assert file.exists()


def test_admin_that_goes_before_its_password_is_set(settled: Identity) -> None:
    rotate(settled, ADMIN)

    def remove(method: str, path: str) -> None:
        if (method, path) == ("GET", "/admin/realms/master/users"):
            settled.master.users["admin2"] = settled.master.users.pop("admin", settled.master.users.get("admin2"))
            settled.keycloak.tokens = dict.fromkeys(settled.keycloak.tokens, ("user", "admin2"))

    settled.keycloak.answer_instead = remove
    with pytest.raises(ParityError) as caught:
        settled.run()
    assert caught.value.reason == "KEYCLOAK_AUTH"


@pytest.mark.parametrize(("name", "fields"), [("user_alice_password", ["password"]), ("user_bob_password", ["password"])])
def test_password_of_a_user(settled: Identity, name: str, fields: list[str]) -> None:
    file = rotate(settled, name)
    user = name.split("_")[1]
    assert changes(settled) == [("update", "user", user, fields)]
    assert settled.realm.users[user]["password"] == NEW
    assert not file.exists()


@pytest.mark.parametrize(
    ("name", "clients"),
    [("web_client_secret", ["gpuaas-web"]), ("probe_client_secret", ["gpuaas-probe", "gpuaas-probe-short"])],
)
def test_secret_of_clients(settled: Identity, name: str, clients: list[str]) -> None:
    rotate(settled, name)
    assert changes(settled) == [("update", "client", client, ["secret"]) for client in clients]
    assert {settled.realm.clients[client]["secret"] for client in clients} == {NEW}
    assert settled.run().changes == []


def test_secret_of_the_temporary_admin_that_still_exists(identity: Identity) -> None:
    """An interrupted first run left Keycloak with the old secret, and nobody else to log in as."""
    file = rotate(identity, TEMPORARY_SECRET)
    identity.run()
    assert TEMPORARY not in identity.master.clients
    assert not file.exists()


def test_secret_of_the_temporary_admin_that_is_gone(settled: Identity) -> None:
    file = rotate(settled, TEMPORARY_SECRET)
    assert settled.run().changes == []
    assert not file.exists()


def test_secret_that_keycloak_never_held(settled: Identity) -> None:
    file = rotate(settled, "redis_password")
    assert settled.run().changes == []
    assert not file.exists()


def test_exposed_record_of_replaced_values(settled: Identity) -> None:
    rotate(settled, ADMIN).chmod(0o644)
    with pytest.raises(ParityError) as caught:
        settled.run()
    assert caught.value.reason == "SECRETS_PERMISSIONS"
    assert settled.keycloak.log == []
