"""A realm follows its document: made, left alone, repaired, trimmed, and never beyond what is ours."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.bootstrap import Outcome
from ansible_collections.gpuaas.parity.tests.unit.keycloak.made_up_identity import TEMPORARY, Identity, values

IDLE = {"account", "account-console", "admin-cli", "broker", "security-admin-console"}
NAMES = {
    "update realm master",
    "create realm gpuaas", "create role decryptor", "create role operator", "create role platform", "create role viewer",
    "create group /projects", "create group /projects/atlas", "create group /projects/borealis",
    "create client scope gpuaas-api", "create client scope realm-roles",
    "create client gpuaas-api", "create client gpuaas-web", "create client temporal-ui", "create client traces",
    "create client gpuaas-probe", "create client gpuaas-probe-short", "create user alice", "create user bob", "create user carol",
}  # fmt: skip
BOTH_ADMINS = {"create admin admin", f"delete temporary admin {TEMPORARY}"}


def done(outcome: Outcome) -> set[str]:
    return {f"{change.action} {change.kind} {change.name}" for change in outcome.changes}


def owned(identity: Identity) -> dict[str, list[str]]:
    record = json.loads(identity.realm.fields["attributes"]["parity.owned"])
    assert isinstance(record, dict)
    return record


def test_first_run_makes_everything(identity: Identity) -> None:
    outcome = identity.run()
    assert done(outcome) == NAMES | BOTH_ADMINS
    assert outcome.issuer == "https://auth.gpuaas.localhost:8443/realms/gpuaas"
    realm = identity.realm
    assert realm.fields["bruteForceProtected"] is True and realm.fields["accessTokenLifespan"] == 300
    assert realm.fields["adminEventsDetailsEnabled"] is False
    web = realm.clients["gpuaas-web"]
    assert web["attributes"]["pkce.code.challenge.method"] == "S256"
    assert web["redirectUris"] == ["https://web.gpuaas.localhost:8443/auth/callback"]
    assert web["secret"] == values()["web_client_secret"]
    assert (web["standardFlowEnabled"], web["directAccessGrantsEnabled"], web["implicitFlowEnabled"]) == (
        True,
        False,
        False,
    )
    assert "gpuaas-api" not in realm.clients["gpuaas-probe"]["defaultClientScopes"]
    short = realm.clients["gpuaas-probe-short"]["attributes"]
    assert short["access.token.lifespan"] == "1"
    assert not any(client["attributes"][name] == "true" for client in (web, realm.clients["gpuaas-api"]) for name in client["attributes"])
    assert not any(realm.clients[name]["enabled"] or realm.clients[name]["directAccessGrantsEnabled"] for name in IDLE)
    assert (realm.fields["revokeRefreshToken"], realm.fields["refreshTokenMaxReuse"]) == (True, 1)
    api = realm.clients["gpuaas-api"]
    assert not any(api[flow] for flow in api if flow.endswith("Enabled"))
    assert realm.users["alice"]["roles"] == {"default-roles-gpuaas", "operator"}
    assert realm.users["bob"]["groups"] == {"/projects/atlas"}
    assert realm.users["bob"]["password"] == values()["user_bob_password"]


def test_temporary_admin_gives_way_to_the_permanent_one(identity: Identity) -> None:
    identity.run()
    assert TEMPORARY not in identity.master.clients
    assert identity.master.users["admin"]["roles"] >= {"admin"}
    assert identity.master.users["admin"]["password"] == values()["keycloak_admin_password"]


def test_a_new_keycloak_is_asked_for_no_password_that_it_cannot_know(identity: Identity) -> None:
    identity.run()
    logins = [path for method, path in identity.keycloak.log if method == "POST" and path.endswith("/token")]
    # The temporary client, and the permanent user once it is made.
    # The client once more: its token is not of the URL that realm master has now.
    assert len(logins) == 3


def test_second_run_changes_nothing_and_asks_little(settled: Identity) -> None:
    before = copy.deepcopy(settled.realm.fields)
    outcome = settled.run()
    assert outcome.changes == []
    assert settled.keycloak.writes == []
    assert outcome.requests == len(settled.keycloak.log) <= 40
    assert settled.realm.fields == before


def test_check_mode_writes_nothing(identity: Identity) -> None:
    outcome = identity.run(check=True)
    assert done(outcome) == NAMES | BOTH_ADMINS
    assert identity.keycloak.writes == []
    assert set(identity.keycloak.realms) == {"master"}
    identity.run()
    identity.keycloak.log.clear()
    document = copy.deepcopy(identity.document)
    document["display_name"] = "other"
    del document["users"]["bob"]
    assert done(identity.run(document, check=True)) == {"update realm gpuaas", "delete user bob"}
    assert identity.keycloak.writes == []


Spoil = Callable[[Any], object]
DRIFTS: dict[str, tuple[Spoil, set[str]]] = {
    "realm setting": (lambda r: r.fields.update(accessTokenLifespan=9), {"update realm gpuaas"}),
    "role text": (lambda r: r.roles["viewer"].update(description="?"), {"update role viewer"}),
    "role gone": (lambda r: r.on_roles("DELETE", ["viewer"], {}, None), {"create role viewer", "update user bob"}),
    "group gone": (
        lambda r: r.on_groups("DELETE", [r.groups["/projects"]], {}, None),
        {"create group /projects", "create group /projects/atlas", "create group /projects/borealis"}
        | {"update user alice", "update user bob"},
    ),
    "scope text": (lambda r: r.scopes["gpuaas-api"].update(description=""), {"update client scope gpuaas-api"}),
    "mapper gone": (lambda r: r.scopes["gpuaas-api"]["protocolMappers"].pop(), {"update client scope gpuaas-api"}),
    "mapper added": (
        lambda r: r.scopes["gpuaas-api"]["protocolMappers"].append({"id": "m", "name": "extra", "protocolMapper": "x"}),
        {"update client scope gpuaas-api"},
    ),
    "mapper changed": (
        lambda r: r.scopes["gpuaas-api"]["protocolMappers"][0]["config"].update({"included.client.audience": "evil"}),
        {"update client scope gpuaas-api"},
    ),
    "redirect": (
        lambda r: r.clients["gpuaas-web"].update(redirectUris=["https://evil/*"]),
        {"update client gpuaas-web"},
    ),
    "client secret": (lambda r: r.clients["gpuaas-web"].update(secret="leaked"), {"update client gpuaas-web"}),
    "pkce off": (
        lambda r: r.clients["gpuaas-web"]["attributes"].pop("pkce.code.challenge.method"),
        {"update client gpuaas-web"},
    ),
    "life of tokens": (
        lambda r: r.clients["gpuaas-probe"]["attributes"].update({"access.token.lifespan": "9"}),
        {"update client gpuaas-probe"},
    ),
    "scope linked": (
        lambda r: r.clients["gpuaas-probe"]["defaultClientScopes"].append("gpuaas-api"),
        {"update client gpuaas-probe"},
    ),
    "scope optional": (
        lambda r: r.clients["gpuaas-web"].update(defaultClientScopes=["basic"], optionalClientScopes=["gpuaas-api"]),
        {"update client gpuaas-web"},
    ),
    "client gone": (lambda r: r.clients.pop("gpuaas-probe"), {"create client gpuaas-probe"}),
    "profile": (lambda r: r.users["alice"]["fields"].update(email="x@y.example"), {"update user alice"}),
    "disabled": (lambda r: r.users["alice"]["fields"].update(enabled=False), {"update user alice"}),
    "given a role that somebody made": (
        lambda r: (r.on_roles("POST", [], {}, {"name": "auditor"}), r.users["bob"]["roles"].add("auditor")),
        {"update user bob", "delete role auditor"},
    ),
    "made an administrator": (
        lambda r: r.granted.update(bob=["realm-management/realm-admin"]),
        {"update user bob"},
    ),
    "in a group that somebody made": (
        lambda r: r.users["bob"]["groups"].add("/projects/borealis"),
        {"update user bob"},
    ),
    "role of a group": (lambda r: r.group_roles.update({"/projects/atlas": {"operator"}}), {"update group /projects/atlas"}),
    "role of a client for a group": (
        lambda r: r.granted.update({"/projects/atlas": ["realm-management/realm-admin"]}),
        {"update group /projects/atlas"},
    ),
    "group for everybody": (lambda r: r.fields.update(defaultGroups=["/projects/atlas"]), {"update group /projects/atlas"}),
    "mapper of Keycloak's own scope": (
        lambda r: r.scopes["profile"]["protocolMappers"][1]["config"].update({"claim.name": "roles"}),
        {"update client scope profile"},
    ),
    "mapper added to Keycloak's own scope": (
        lambda r: r.scopes["basic"]["protocolMappers"].append({"id": "m", "name": "extra", "protocolMapper": "x"}),
        {"update client scope basic"},
    ),
    "flow of a client": (
        lambda r: r.clients["gpuaas-web"].update(authenticationFlowBindingOverrides={"browser": "f"}),
        {"update client gpuaas-web"},
    ),
    "role in a role": (lambda r: r.composites.update(viewer=["operator"]), {"update role viewer"}),
    "role for everybody": (
        lambda r: r.composites["default-roles-gpuaas"].extend(["operator", "realm-management/realm-admin"]),
        {"update role default-roles-gpuaas"},
    ),
    "client that somebody made": (lambda r: r.add_client({"clientId": "theirs"}), {"delete client theirs"}),
    "scope that somebody made": (
        lambda r: r.scopes.update(theirs={"id": "s", "name": "theirs"}),
        {"delete client scope theirs"},
    ),
    "mapper of a client": (
        lambda r: r.clients["gpuaas-web"].update(protocolMappers=[{"id": "m", "name": "extra"}]),
        {"update client gpuaas-web"},
    ),
    "password grant": (
        lambda r: r.clients["gpuaas-web"].update(directAccessGrantsEnabled=True),
        {"update client gpuaas-web"},
    ),
    "device grant": (
        lambda r: r.clients["gpuaas-web"]["attributes"].update({"oauth2.device.authorization.grant.enabled": "true"}),
        {"update client gpuaas-web"},
    ),
    "unused client": (
        lambda r: r.clients["admin-cli"].update(enabled=True, directAccessGrantsEnabled=True),
        {"update client admin-cli"},
    ),
    "refresh tokens for ever": (lambda r: r.fields.update(revokeRefreshToken=False), {"update realm gpuaas"}),
    "identity provider": (
        lambda r: r.identity_providers.update(theirs={"alias": "theirs", "providerId": "oidc"}),
        {"delete identity provider theirs"},
    ),
    "user federation": (
        lambda r: r.add_component("ldap", "org.keycloak.storage.UserStorageProvider", "ldap"),
        {"delete user federation ldap"},
    ),
    "key from elsewhere": (lambda r: r.add_component("mine", "org.keycloak.keys.KeyProvider", "rsa"), {"delete key mine"}),
    "flow that somebody made": (
        lambda r: (r.flows.update(theirs={"id": "f", "alias": "theirs"}), r.fields.update(browserFlow="theirs")),
        {"update realm gpuaas", "delete flow theirs"},
    ),
    "step of a flow": (lambda r: r.executions["browser"][1].update(requirement="ALTERNATIVE"), {"update flow browser"}),
    "order of a flow": (lambda r: r.executions["browser"][1].update(priority=5), {"update flow browser"}),
    "configuration of a step": (
        lambda r: r.executions["browser"][2].update(alias="theirs", authenticationConfig="c"),
        {"update flow browser"},
    ),
    "step that somebody added": (
        lambda r: r.executions["browser"].append({"id": "e", "providerId": "theirs", "requirement": "REQUIRED", "level": 0}),
        {"update flow browser"},
    ),
    "promoted": (lambda r: r.users["bob"]["roles"].add("operator"), {"update user bob"}),
    "moved": (lambda r: r.users["bob"].update(groups={"/projects/borealis"}), {"update user bob"}),
    "password": (lambda r: r.set_password(r.users["bob"], "changed in Keycloak"), {"update user bob"}),
    "user gone": (lambda r: r.users.pop("bob"), {"create user bob"}),
}


def test_realm_master_is_guarded_as_the_other(settled: Identity) -> None:
    master, realm = settled.master.fields, settled.realm.fields
    for name in ("passwordPolicy", "bruteForceProtected", "failureFactor", "maxFailureWaitSeconds", "eventsEnabled", "adminEventsEnabled"):
        assert master[name] == realm[name] and master[name]
    assert master["attributes"]["frontendUrl"] == settled.server.url
    # What it had besides is still there.
    assert master["attributes"]["cibaInterval"] == "5"


@pytest.mark.parametrize(
    "spoilt",
    [{"bruteForceProtected": False}, {"passwordPolicy": ""}, {"eventsEnabled": False}, {"attributes": {"frontendUrl": "https://evil"}}],
)
def test_drift_of_realm_master_is_put_right(settled: Identity, spoilt: dict[str, Any]) -> None:
    before = settled.master.snapshot()
    settled.master.fields |= copy.deepcopy(spoilt) | {"attributes": settled.master.fields["attributes"] | spoilt.get("attributes", {})}
    assert done(settled.run(check=True)) == {"update realm master"}
    assert done(settled.run()) == {"update realm master"}
    assert settled.master.snapshot() == before
    assert settled.run().changes == []


def make_client(realm: Any) -> None:
    realm.add_client({"clientId": "theirs", "serviceAccountsEnabled": True})


def enable_service_account(realm: Any) -> None:
    realm.clients["account"]["serviceAccountsEnabled"] = True


INTRUDERS: dict[str, tuple[Callable[[Any], object], set[str]]] = {
    "client": (make_client, {"delete client of realm master theirs"}),
    # The rights on a realm that there is not.
    "like Keycloak's": (lambda r: r.add_client({"clientId": "theirs-realm"}), {"delete client of realm master theirs-realm"}),
    "service account": (enable_service_account, {"update client of realm master account"}),
    "identity provider": (
        lambda r: r.identity_providers.update(theirs={"alias": "theirs"}),
        {"delete identity provider of realm master theirs"},
    ),
    "federation": (
        lambda r: r.add_component("ldap", "org.keycloak.storage.UserStorageProvider", "ldap"),
        {"delete user federation of realm master ldap"},
    ),
    "key": (lambda r: r.add_component("known", "org.keycloak.keys.KeyProvider", "rsa"), {"delete key of realm master known"}),
}


@pytest.mark.parametrize("intruder", INTRUDERS)
def test_nothing_else_leads_into_realm_master(settled: Identity, intruder: str) -> None:
    spoil, expected = INTRUDERS[intruder]
    before = settled.master.snapshot()
    spoil(settled.master)
    assert settled.master.snapshot() != before
    assert done(settled.run(check=True)) == expected
    assert done(settled.run()) == expected
    assert settled.master.snapshot() == before
    assert settled.run().changes == []


def test_another_administrator_is_switched_off_and_kept(settled: Identity) -> None:
    settled.master.add_user({"username": "mallory", "enabled": True, "email": "mallory@example.com"}, {"admin"})
    assert done(settled.run(check=True)) == {"update user of realm master mallory"}
    assert settled.master.users["mallory"]["fields"]["enabled"] is True
    settled.run()
    assert settled.master.users["mallory"]["fields"] == {"username": "mallory", "enabled": False, "email": "mallory@example.com"}
    assert settled.master.users["admin"]["fields"]["enabled"] is True
    assert settled.run().changes == []


def test_a_realm_that_somebody_made_brings_its_rights_into_realm_master(settled: Identity) -> None:
    settled.keycloak.create_realm({"realm": "theirs"})
    assert settled.run().changes == []


@pytest.mark.parametrize("drift", DRIFTS)
def test_drift_is_put_right(settled: Identity, drift: str) -> None:
    spoil, expected = DRIFTS[drift]
    before = settled.realm.snapshot()
    spoil(settled.realm)
    assert settled.realm.snapshot() != before
    assert done(settled.run()) == expected
    assert settled.realm.snapshot() == before
    settled.keycloak.log.clear()
    assert settled.run().changes == []
    assert settled.keycloak.writes == []


def test_dropped_objects_go(settled: Identity) -> None:
    document = copy.deepcopy(settled.document)
    del document["users"]["bob"], document["roles"]["viewer"], document["clients"]["gpuaas-probe-short"]
    document["groups"].remove("/projects/borealis")
    document["client_scopes"] = {}
    document["clients"]["gpuaas-web"]["scopes"] = ["profile"]
    for name in ("temporal-ui", "traces"):
        document["clients"][name]["scopes"] = ["email"]
    outcome = settled.run(document)
    assert done(outcome) == {
        "delete user bob", "delete role viewer", "delete client gpuaas-probe-short", "delete group /projects/borealis",
        "delete client scope gpuaas-api", "update client gpuaas-web", "delete client scope realm-roles",
        "update client temporal-ui", "update client traces",
    }  # fmt: skip
    realm = settled.realm
    assert set(realm.users) == {"alice", "carol"} and set(realm.groups) == {"/projects", "/projects/atlas"}
    assert "viewer" not in realm.roles and "gpuaas-api" not in realm.scopes and "gpuaas-probe-short" not in realm.clients
    assert owned(settled)["users"] == ["alice", "carol"]
    assert settled.run(document).changes == []


def test_dropped_object_that_is_gone_already_is_forgotten(settled: Identity) -> None:
    document = copy.deepcopy(settled.document)
    del document["users"]["bob"]
    del settled.realm.users["bob"]
    assert settled.run(document).changes == []
    assert owned(settled)["users"] == ["alice", "carol"]


def test_users_and_groups_that_somebody_made_stay_and_are_named(settled: Identity) -> None:
    realm = settled.realm
    realm.on_groups("POST", [], {}, {"name": "theirs"})
    realm.on_groups("POST", [realm.groups["/projects"], "children"], {}, {"name": "theirs"})
    realm.add_user({"username": "dave"}, {"operator"})
    realm.users["dave"]["groups"] |= {"/theirs", "/projects/atlas"}
    realm.fields["loginTheme"] = "theirs"
    before = realm.snapshot()
    outcome = settled.run()
    assert (outcome.changes, outcome.kept) == ([], ["group /projects/theirs", "group /theirs", "user dave"])
    document = copy.deepcopy(settled.document)
    document["display_name"] = "changed"
    settled.run(document)
    after = realm.snapshot()
    assert after["fields"].pop("displayName") == "changed"
    before["fields"].pop("displayName")
    assert after == before


def test_dropped_group_with_a_foreign_child_stays_until_it_is_gone(settled: Identity) -> None:
    realm = settled.realm
    realm.on_groups("POST", [realm.groups["/projects/borealis"], "children"], {}, {"name": "theirs"})
    document = copy.deepcopy(settled.document)
    document["groups"].remove("/projects/borealis")
    outcome = settled.run(document)
    assert (outcome.changes, outcome.kept) == ([], ["group /projects/borealis", "group /projects/borealis/theirs"])
    realm.on_groups("DELETE", [realm.groups["/projects/borealis/theirs"]], {}, None)
    assert done(settled.run(document)) == {"delete group /projects/borealis"}


def test_foreign_realm_is_refused_and_left_alone(settled: Identity) -> None:
    del settled.realm.fields["attributes"]["parity.owned"]
    before = settled.realm.snapshot()
    with pytest.raises(ParityError) as failure:
        settled.run()
    assert failure.value.reason == "KEYCLOAK_CONFLICT" and "admin console" in failure.value.do
    assert settled.realm.snapshot() == before and settled.keycloak.writes == []


def test_users_and_groups_of_our_names_are_refused_all_at_once(settled: Identity) -> None:
    settled.realm.add_user({"username": "dave"}, set())
    settled.realm.on_groups("POST", [], {}, {"name": "theirs"})
    document = copy.deepcopy(settled.document)
    document["users"]["dave"] = document["users"]["bob"]
    document["groups"].append("/theirs")
    document["display_name"] = "changed"
    with pytest.raises(ParityError) as failure:
        settled.run(document)
    assert failure.value.reason == "KEYCLOAK_CONFLICT"
    assert failure.value.details == {"foreign": ["groups//theirs", "users/dave"]}
    assert settled.keycloak.writes == []


def test_a_client_or_role_of_our_name_becomes_ours(settled: Identity) -> None:
    settled.realm.add_client({"clientId": "reports", "redirectUris": ["https://evil/*"]})
    settled.realm.on_roles("POST", [], {}, {"name": "auditor"})
    document = copy.deepcopy(settled.document)
    document["clients"]["reports"] = {"kind": "resource_server", "means": "Reports"}
    document["roles"]["auditor"] = {"means": "Audits"}
    assert done(settled.run(document)) == {"update client reports", "update role auditor"}
    assert settled.realm.clients["reports"]["redirectUris"] == []


def test_adopt_takes_over(settled: Identity) -> None:
    before = settled.realm.snapshot()
    del settled.realm.fields["attributes"]["parity.owned"], settled.realm.fields["attributes"]["parity.passwords"]
    settled.realm.clients["gpuaas-web"]["secret"] = "theirs"
    assert "update client gpuaas-web" in done(settled.run(adopt=True))
    assert settled.realm.snapshot() == before
    assert settled.run().changes == []


def test_changed_secrets_reach_keycloak(settled: Identity) -> None:
    settled.set_secret("probe_client_secret", "another-probe-secret-0123")
    assert done(settled.run()) == {"update client gpuaas-probe", "update client gpuaas-probe-short"}
    settled.set_secret("user_alice_password", "another-password-of-alice")
    assert {"update user alice"} <= done(settled.run())
    assert settled.realm.users["alice"]["password"] == "another-password-of-alice"
    assert settled.run().changes == []


def test_damaged_record_of_passwords_only_sets_them_again(settled: Identity) -> None:
    settled.realm.fields["attributes"]["parity.passwords"] = '{"alice": 1}'
    assert done(settled.run()) == {"update user alice", "update user bob", "update user carol"}
    assert settled.run().changes == []


def test_nothing_that_is_shown_or_recorded_holds_a_secret(identity: Identity) -> None:
    outcome = identity.run()
    for client in ("gpuaas-web", "gpuaas-probe"):
        identity.realm.clients[client]["secret"] = "leaked-secret-of-somebody"
    identity.realm.set_password(identity.realm.users["alice"], "changed")
    repair = identity.run()
    shown = [(repr(c), c.summary(), c.diff()) for c in [*outcome.changes, *repair.changes]]
    text = json.dumps(shown) + json.dumps(identity.realm.fields)
    for value in [*values().values(), "leaked-secret-of-somebody"]:
        assert value not in text
    diff = next(c.diff() for c in repair.changes if c.name == "gpuaas-web")
    assert diff["before"]["secret"] != diff["after"]["secret"]
