"""What somebody does to a real realm by hand is seen, and set back; users and groups that somebody made are named and stay."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.api import Api, Login
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.bootstrap import Outcome, Request, bootstrap
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.patience import Patient
from ansible_collections.gpuaas.parity.plugins.module_utils._net import loopback
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import nobody

from .running import Running

REALM = "gpuaas"


def reconcile(running: Running, *, check: bool) -> Outcome:
    settings = running.contract["services"]["keycloak"]["settings"]
    return bootstrap(
        Request(
            document=str(running.state_dir / "rendered" / "realm.json"),
            ca_file=str(running.state_dir / "tls" / "ca.crt"),
            secrets_file=str(running.state_dir / "secrets" / "secrets.yml"),
            bootstrap_client_id=settings["KC_BOOTSTRAP_ADMIN_CLIENT_ID"],
            bootstrap_secret=running.contract["services"]["keycloak"]["secrets"]["bootstrap_admin_client_secret"],
            check=check,
        )
    )


def done(outcome: Outcome) -> set[str]:
    return {f"{change.action} {change.kind} {change.name}" for change in outcome.changes}


@pytest.fixture
def admin(running: Running) -> Iterator[Api]:
    """The administrator, as in the admin console."""
    document = json.loads((running.state_dir / "rendered" / "realm.json").read_text(encoding="utf-8"))
    values = yaml.safe_load((running.state_dir / "secrets" / "secrets.yml").read_text(encoding="utf-8"))
    with loopback.client(running.state_dir / "tls" / "ca.crt", base_url=document["admin"]["url"], timeout=30) as http:
        api = Api(Patient(http, 0, nobody), Login.user(document["admin"]["username"], values[document["admin"]["password"]]))
        assert api.log_in()
        yield api
        api.log_out()


def named(items: list[Any], key: str, name: str) -> Any:
    return next(item for item in items if item[key] == name)


def spoil(api: Api) -> set[str]:
    """One of everything that lets somebody in or gives somebody more; what has to be put right."""
    clients = {client["clientId"]: client for client in api.get_list(REALM, "clients")}
    web, management = clients["gpuaas-web"], clients["realm-management"]["id"]
    operator, realm_admin = api.get_object(REALM, "roles", "operator"), api.get_object(REALM, "clients", management, "roles", "realm-admin")
    hardcoded = {"claim.name": "roles", "claim.value": "operator", "access.token.claim": "true"}
    mapper = {"name": "theirs", "protocol": "openid-connect", "protocolMapper": "oidc-hardcoded-claim-mapper", "config": hardcoded}

    api.post(REALM, "roles", body={"name": "theirs"})
    api.post(REALM, "roles", "viewer", "composites", body=[operator])
    api.post(REALM, "roles", f"default-roles-{REALM}", "composites", body=[operator])

    projects = named(api.get_list(REALM, "groups"), "name", "projects")
    atlas = named(api.get_list(REALM, "groups", projects["id"], "children"), "name", "atlas")["id"]
    api.post(REALM, "groups", atlas, "role-mappings", "clients", management, body=[realm_admin])
    api.put(REALM, "default-groups", atlas)

    bob = named(api.get_list(REALM, "users", username="bob", exact="true"), "username", "bob")["id"]
    api.post(REALM, "users", bob, "role-mappings", "realm", body=[operator])
    api.post(REALM, "users", bob, "role-mappings", "clients", management, body=[realm_admin])

    api.post(REALM, "authentication", "flows", "browser", "copy", body={"newName": "theirs"})
    step = named(api.get_list(REALM, "authentication", "flows", "browser", "executions"), "displayName", "Kerberos")
    api.put(REALM, "authentication", "flows", "browser", "executions", body=step | {"requirement": "ALTERNATIVE"})
    step = named(api.get_list(REALM, "authentication", "flows", "browser", "executions"), "displayName", "Identity Provider Redirector")
    config = {"alias": "theirs", "config": {"defaultProvider": "theirs"}}
    api.post(REALM, "authentication", "executions", step["id"], "config", body=config)
    flow = named(api.get_list(REALM, "authentication", "flows"), "alias", "theirs")["id"]

    api.post(REALM, "clients", web["id"], "protocol-mappers", "models", body=mapper)
    changed = {
        "redirectUris": [*web["redirectUris"], "https://elsewhere.invalid/*"],
        "authenticationFlowBindingOverrides": {"browser": flow},
    }
    api.put(REALM, "clients", web["id"], body=web | changed)
    api.put(
        REALM, "clients", clients["admin-cli"]["id"], body={"clientId": "admin-cli", "enabled": True, "directAccessGrantsEnabled": True}
    )
    api.post(REALM, "clients", body={"clientId": "theirs", "publicClient": True, "redirectUris": ["*"]})
    api.post(REALM, "client-scopes", body={"name": "theirs", "protocol": "openid-connect"})
    basic = named(api.get_list(REALM, "client-scopes"), "name", "basic")["id"]
    api.post(REALM, "client-scopes", basic, "protocol-mappers", "models", body=mapper)

    provider = {"authorizationUrl": "https://elsewhere.invalid/a", "tokenUrl": "https://elsewhere.invalid/t", "clientId": "x"}
    api.post(REALM, "identity-provider", "instances", body={"alias": "theirs", "providerId": "oidc", "config": provider})

    api.put(REALM, body=api.get_object(REALM) | {"browserFlow": "theirs", "revokeRefreshToken": False})
    api.put("master", body=api.get_object("master") | {"bruteForceProtected": False, "passwordPolicy": ""})
    admin = api.get_object("master", "roles", "admin")
    theirs = api.post("master", "clients", body={"clientId": "theirs", "serviceAccountsEnabled": True})
    service_account = api.get_object("master", "clients", theirs, "service-account-user")["id"]
    mallory = api.post("master", "users", body={"username": "mallory", "enabled": True})
    for user in (service_account, mallory):
        api.post("master", "users", user, "role-mappings", "realm", body=[admin])
    return {
        "update realm master", "delete client of realm master theirs", "update user of realm master mallory",
        f"update realm {REALM}", "update role viewer", f"update role default-roles-{REALM}", "delete role theirs",
        "update group /projects/atlas", "update user bob", "update flow browser", "delete flow theirs", "update client gpuaas-web",
        "update client admin-cli", "delete client theirs", "delete client scope theirs", "update client scope basic",
        "delete identity provider theirs",
    }  # fmt: skip


def test_what_was_done_by_hand_is_seen_and_set_back(running: Running, admin: Api) -> None:
    assert done(reconcile(running, check=True)) == set()
    damage = spoil(admin)
    assert done(reconcile(running, check=True)) == damage
    assert done(reconcile(running, check=False)) == damage
    assert done(reconcile(running, check=True)) == set()
    # Of an administrator that is not ours the name stays, for whoever asks what happened.
    mallory = named(admin.get_list("master", "users", username="mallory", exact="true"), "username", "mallory")
    assert mallory["enabled"] is False
    admin.delete("master", "users", mallory["id"])


def test_a_user_and_a_group_that_somebody_made_stay_and_are_named(running: Running, admin: Api) -> None:
    admin.post(REALM, "groups", body={"name": "theirs"})
    admin.post(REALM, "users", body={"username": "dave", "enabled": True, "groups": ["/theirs"]})
    dave = named(admin.get_list(REALM, "users", username="dave", exact="true"), "username", "dave")["id"]
    try:
        outcome = reconcile(running, check=False)
        assert (done(outcome), outcome.kept) == (set(), ["group /theirs", "user dave"])
        assert [group["path"] for group in admin.get_list(REALM, "users", dave, "groups")] == ["/theirs"]
    finally:
        admin.delete(REALM, "users", dave)
        admin.delete(REALM, "groups", str(named(admin.get_list(REALM, "groups"), "name", "theirs")["id"]))
