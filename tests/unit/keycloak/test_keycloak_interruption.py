"""A run that breaks off at any request is finished by the next one."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.tests.unit.keycloak.made_up_identity import TEMPORARY, Identity, new_identity

FIRST_RUN_REQUESTS = 43
"""More than a first run sends, so that the last cases see it succeed."""


def state(identity: Identity) -> tuple[Any, Any, Any]:
    record = json.loads(identity.realm.fields["attributes"]["parity.owned"])
    master = identity.master.snapshot()
    # Each Keycloak of dictionaries has a port of its own.
    assert master["fields"]["attributes"].pop("frontendUrl") == identity.server.url
    return identity.realm.snapshot(), master, record


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any, Any]:
    """What an undisturbed first run leaves."""
    with new_identity(tmp_path_factory.mktemp("reference")) as identity:
        outcome = identity.run()
        assert outcome.requests < FIRST_RUN_REQUESTS
        return state(identity)


@pytest.mark.parametrize("applied", [False, True], ids=["request lost", "answer lost"])
@pytest.mark.parametrize("after", range(FIRST_RUN_REQUESTS))
def test_interrupted_first_run_converges(identity: Identity, reference: Any, after: int, applied: bool) -> None:
    identity.keycloak.cut_after, identity.keycloak.cut_applied = after, applied
    try:
        identity.run()
    except ParityError as failure:
        assert failure.reason == "KEYCLOAK_UNREACHABLE"
    identity.keycloak.cut_after = None
    identity.run()
    assert state(identity) == reference
    identity.keycloak.log.clear()
    assert identity.run().changes == []
    assert identity.keycloak.writes == []


@pytest.mark.parametrize("after", range(0, 50, 3))
def test_interrupted_repair_converges(settled: Identity, after: int) -> None:
    wanted = state(settled)
    realm = settled.realm
    realm.on_groups("DELETE", [realm.groups["/projects"]], {}, None)
    realm.on_roles("DELETE", ["operator"], {}, None)
    del realm.users["bob"], realm.clients["gpuaas-probe"], realm.scopes["gpuaas-api"]
    realm.clients["gpuaas-web"].update(secret="leaked", defaultClientScopes=["basic"])
    realm.clients["gpuaas-probe-short"].update(defaultClientScopes=["basic"])
    realm.set_password(realm.users["alice"], "changed")
    settled.keycloak.cut_after, settled.keycloak.cut_applied = after, True
    try:
        settled.run()
    except ParityError as failure:
        assert failure.reason == "KEYCLOAK_UNREACHABLE"
    settled.keycloak.cut_after = None
    settled.run()
    assert state(settled) == wanted
    assert settled.run().changes == []


@pytest.mark.parametrize("after", range(0, 40, 3))
def test_interrupted_removal_converges(settled: Identity, after: int) -> None:
    document = copy.deepcopy(settled.document)
    del document["users"]["bob"], document["roles"]["viewer"], document["clients"]["gpuaas-probe-short"]
    document["groups"].remove("/projects/borealis")
    document["roles"]["auditor"] = {"means": "Audits"}
    settled.keycloak.cut_after, settled.keycloak.cut_applied = after, True
    try:
        settled.run(document)
    except ParityError as failure:
        assert failure.reason == "KEYCLOAK_UNREACHABLE"
    settled.keycloak.cut_after = None
    settled.run(document)
    realm = settled.realm
    assert "bob" not in realm.users and "viewer" not in realm.roles and "auditor" in realm.roles
    assert "gpuaas-probe-short" not in realm.clients and "/projects/borealis" not in realm.groups
    assert settled.run(document).changes == []


def test_admin_without_its_role_is_finished(identity: Identity) -> None:
    """Killed between the user's creation and its role: its password works, and it may not administer."""
    password = "value-of-keycloak_admin_password-" + "x" * 12
    identity.master.add_user({"username": "admin", "enabled": True}, set())
    identity.master.set_password(identity.master.users["admin"], password)
    identity.run()
    assert identity.master.users["admin"]["roles"] >= {"admin"}
    assert TEMPORARY not in identity.master.clients


def test_admin_with_another_password_is_finished_while_the_temporary_one_exists(identity: Identity) -> None:
    identity.master.add_user({"username": "admin", "enabled": True}, {"admin"})
    identity.master.set_password(identity.master.users["admin"], "from a lost secrets file")
    identity.run()
    assert identity.master.users["admin"]["password"].startswith("value-of-keycloak_admin_password")
