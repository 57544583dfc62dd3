"""Every failure that a user can meet has its reason, says what was seen, and gives no secret away."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.document import load_document
from ansible_collections.gpuaas.parity.tests.unit.keycloak.fake_keycloak import Answer
from ansible_collections.gpuaas.parity.tests.unit.keycloak.made_up_identity import PLATFORM, TEMPORARY, Identity, rendered, values


def failure_of(call: Callable[[], object]) -> ParityError:
    with pytest.raises(ParityError) as caught:
        call()
    text = f"{caught.value}{caught.value.details}{caught.value.__context__!r}"
    assert not any(value in text for value in values().values())
    assert "token-" not in text
    assert caught.value.do
    return caught.value


def test_unreachable(identity: Identity) -> None:
    identity.server.close()
    failure = failure_of(identity.run)
    assert failure.reason == "KEYCLOAK_UNREACHABLE" and identity.server.url in failure.seen


def test_ingress_without_keycloak_is_unreachable(identity: Identity) -> None:
    identity.keycloak.answer_instead = lambda method, path: Answer(503)
    failure = failure_of(identity.run)
    assert failure.reason == "KEYCLOAK_UNREACHABLE" and "503" in failure.seen


def test_connections_that_a_restarted_database_cut_are_used_up(settled: Identity) -> None:
    broken = 3

    def answer(method: str, path: str) -> Answer | None:
        nonlocal broken
        broken -= 1
        return Answer(500, {"error": "unknown_error"}) if broken >= 0 else None

    settled.keycloak.answer_instead = answer
    assert settled.run(patience=10.0).changes == []


def test_an_ingress_without_keycloak_is_not_a_realm_that_is_missing(settled: Identity) -> None:
    settled.keycloak.answer_instead = lambda method, path: (
        Answer(404, "404 page not found") if path.startswith("/admin/realms/gpuaas") else None
    )
    failure = failure_of(settled.run)
    assert failure.reason == "KEYCLOAK_UNREACHABLE" and "404" in failure.seen


def test_keycloak_that_fails_for_good_is_told(settled: Identity) -> None:
    settled.keycloak.answer_instead = lambda method, path: Answer(500, {"error": "unknown_error"})
    failure = failure_of(settled.run)
    assert failure.reason == "KEYCLOAK_API" and "unknown_error" in failure.seen


def test_host_off_loopback_is_refused(identity: Identity) -> None:
    identity.document["admin"]["url"] = "https://auth.example.com"
    failure = failure_of(identity.run)
    assert failure.reason == "KEYCLOAK_UNREACHABLE" and "not a loopback name" in failure.seen


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_unusable_ca_file(identity: Identity, tmp_path: Path, content: str | None) -> None:
    ca_file = tmp_path / "ca.crt"
    if content:
        ca_file.write_text(content, encoding="utf-8")
    failure = failure_of(lambda: identity.run(ca_file=str(ca_file)))
    assert failure.reason == "KEYCLOAK_UNREACHABLE" and str(ca_file) in failure.seen


def test_neither_administrator_is_accepted(settled: Identity) -> None:
    settled.set_secret("keycloak_admin_password", "regenerated-by-somebody")
    failure = failure_of(settled.run)
    assert failure.reason == "KEYCLOAK_AUTH" and "secrets.yml" in failure.do
    assert "admin" in failure.seen and TEMPORARY in failure.seen


def test_temporary_admin_that_may_nothing(identity: Identity) -> None:
    identity.keycloak.forbidding = True
    assert failure_of(identity.run).reason == "KEYCLOAK_AUTH"


def test_expired_token_is_renewed(settled: Identity) -> None:
    def expire(method: str, path: str) -> None:
        if len(settled.keycloak.log) == 5:
            settled.keycloak.tokens.clear()

    settled.keycloak.answer_instead = expire
    assert settled.run().changes == []


def test_admin_that_is_removed_meanwhile(settled: Identity) -> None:
    def remove(method: str, path: str) -> None:
        if len(settled.keycloak.log) == 5:
            settled.keycloak.tokens.clear()
            settled.master.users.clear()

    settled.keycloak.answer_instead = remove
    assert failure_of(settled.run).reason == "KEYCLOAK_AUTH"


def test_permanent_client_of_the_temporary_name_is_not_deleted(settled: Identity) -> None:
    settled.master.add_client({"clientId": TEMPORARY, "secret": "theirs"})
    failure = failure_of(settled.run)
    assert failure.reason == "KEYCLOAK_CONFLICT" and settled.keycloak.writes == []
    assert TEMPORARY in settled.master.clients


def test_temporary_admin_that_came_back_goes(settled: Identity) -> None:
    settled.master.add_client({"clientId": TEMPORARY, "attributes": {"is_temporary_admin": "true"}})
    assert [change.action for change in settled.run().changes] == ["delete"]
    assert TEMPORARY not in settled.master.clients


@pytest.mark.parametrize("status", [400, 500])
def test_unexpected_answer_names_the_endpoint(identity: Identity, status: int) -> None:
    secret = values()["web_client_secret"]

    def answer(method: str, path: str) -> Answer | None:
        if (method, path) == ("POST", "/admin/realms"):
            return Answer(status, {"errorMessage": "no such thing", "representation": secret})
        return None

    identity.keycloak.answer_instead = answer
    failure = failure_of(identity.run)
    assert failure.reason == "KEYCLOAK_API"
    assert failure.seen == f"POST /admin/realms answers {status} (no such thing)"
    assert failure.details == {"method": "POST", "path": "/admin/realms", "status": status}


def test_token_endpoint_that_refuses_plain_http(identity: Identity) -> None:
    refusal = Answer(403, {"error": "invalid_request", "error_description": "HTTPS required"})
    identity.keycloak.answer_instead = lambda method, path: refusal
    failure = failure_of(identity.run)
    assert failure.reason == "KEYCLOAK_API" and "HTTPS required" in failure.seen


def test_answer_that_is_no_json(settled: Identity) -> None:
    settled.keycloak.answer_instead = lambda method, path: Answer(200) if path.endswith("/client-scopes") else None
    assert failure_of(settled.run).reason == "KEYCLOAK_API"


def test_object_that_somebody_makes_meanwhile(settled: Identity) -> None:
    document = copy.deepcopy(settled.document)
    document["clients"]["late"] = {"kind": "resource_server", "means": "Late"}

    def race(method: str, path: str) -> None:
        if (method, path) == ("POST", "/admin/realms/gpuaas/clients"):
            settled.realm.add_client({"clientId": "late"})

    settled.keycloak.answer_instead = race
    failure = failure_of(lambda: settled.run(document))
    assert failure.reason == "KEYCLOAK_CONFLICT" and "late" in failure.seen


def test_client_scope_that_nobody_has(settled: Identity) -> None:
    document = copy.deepcopy(settled.document)
    document["clients"]["gpuaas-web"]["scopes"].append("nosuch")
    failure = failure_of(lambda: settled.run(document))
    assert failure.reason == "KEYCLOAK_REALM_INVALID" and "clients.gpuaas-web.scopes" in failure.seen
    assert settled.keycloak.writes == []


def test_client_scope_that_a_new_realm_does_not_have(identity: Identity) -> None:
    document = copy.deepcopy(identity.document)
    document["clients"]["gpuaas-web"]["scopes"].append("nosuch")
    assert failure_of(lambda: identity.run(document)).reason == "KEYCLOAK_REALM_INVALID"
    identity.run()
    assert identity.run().changes == []


Spoil = Callable[[dict[str, Any]], object]
WRONG: dict[str, tuple[Spoil, str]] = {
    "unknown key": (lambda d: d.update(relam="x"), "document: "),
    "missing key": (lambda d: d.pop("users"), "document: "),
    "realm master": (lambda d: d.update(realm="master"), "realm: is not a realm name other than master"),
    "wildcard redirect": (
        lambda d: d["clients"]["gpuaas-web"].update(redirect_uris=["https://web.gpuaas.localhost/*"]),
        "clients.gpuaas-web.redirect_uris.0: is not one exact http(s) URL",
    ),
    "no redirect": (lambda d: d["clients"]["gpuaas-web"].update(redirect_uris=[]), "clients.gpuaas-web.redirect_uris"),
    "unknown client kind": (lambda d: d["clients"]["gpuaas-api"].update(kind="spa"), "clients.gpuaas-api.kind: "),
    "redirect of a service account": (
        lambda d: d["clients"]["gpuaas-probe"].update(redirect_uris=["https://x/"]),
        "clients.gpuaas-probe: ",
    ),
    "mapper without audience": (
        lambda d: d["client_scopes"]["gpuaas-api"]["mappers"]["audience"].pop("audience"),
        "client_scopes.gpuaas-api.mappers.audience: ",
    ),
    "unknown audience": (
        lambda d: d["client_scopes"]["gpuaas-api"]["mappers"]["audience"].update(audience="nosuch"),
        "client_scopes.gpuaas-api.mappers.audience.audience: no client nosuch",
    ),
    "unknown role": (lambda d: d["users"]["bob"].update(roles=["root"]), "users.bob.roles: no role root"),
    "unknown group": (lambda d: d["users"]["bob"].update(groups=["/x"]), "users.bob.groups: no group /x"),
    "relative group": (lambda d: d.update(groups=["projects"]), "groups.0: is not a group path"),
    "negative time": (lambda d: d["tokens"].update(access=-1), "tokens.access: is not seconds"),
    "reference left": (lambda d: d.update(display_name="${domain}"), "display_name: holds an unresolved reference"),
    "symmetric signature": (lambda d: d["tokens"].update(signature="HS256"), "tokens.signature: is not an asymmetric"),
    "secret's value": (lambda d: d["users"]["bob"].update(password="Hunter-2!"), "users.bob.password: is not the name"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_document_names_its_place(identity: Identity, case: str) -> None:
    spoil, place = WRONG[case]
    document = rendered("https://auth-admin.gpuaas.localhost:8443")
    spoil(document)
    failure = failure_of(lambda: identity.run(document))
    assert failure.reason == "KEYCLOAK_REALM_INVALID"
    assert place in failure.seen
    assert "Hunter-2!" not in str(failure)
    assert identity.keycloak.log == []


def test_contract_itself_only_lacks_its_rendering() -> None:
    failure = failure_of(lambda: load_document(str(PLATFORM / "realm.yml")))
    assert all("unresolved reference" in problem for problem in failure.details["problems"])


@pytest.mark.parametrize("content", [b"a: [", b"\xff\xfe", b"[]", b"text"])
def test_file_that_is_no_document(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "realm.json"
    path.write_bytes(content)
    assert failure_of(lambda: load_document(str(path))).reason == "KEYCLOAK_REALM_INVALID"
    path.unlink()
    assert failure_of(lambda: load_document(str(path))).reason == "KEYCLOAK_REALM_INVALID"


def test_document_from_a_file(identity: Identity, tmp_path: Path) -> None:
    path = tmp_path / "realm.json"
    path.write_text(json.dumps(identity.document), encoding="utf-8")
    identity.run(str(path))
    assert identity.run().changes == []


UNUSABLE = {b"a: [": "SECRETS_CORRUPT", b"[]": "SECRETS_CORRUPT", b'user_bob_password: ""': "KEYCLOAK_SECRETS"}


@pytest.mark.parametrize("content", UNUSABLE)
def test_secrets_file_that_is_not_usable(identity: Identity, content: bytes) -> None:
    identity.secrets_file.write_bytes(content)
    failure = failure_of(identity.run)
    assert failure.reason == UNUSABLE[content] and str(identity.secrets_file) in failure.seen
    assert identity.keycloak.log == []


def test_secrets_file_that_is_not_there_or_not_private(identity: Identity) -> None:
    identity.secrets_file.chmod(0o644)
    assert failure_of(identity.run).reason == "SECRETS_PERMISSIONS"
    identity.secrets_file.unlink()
    assert failure_of(identity.run).reason == "KEYCLOAK_SECRETS"


def test_missing_secrets_are_named_with_their_place(identity: Identity) -> None:
    kept = {name: value for name, value in values().items() if "bob" not in name and "web_client" not in name}
    identity.secrets_file.write_text(json.dumps(kept), encoding="utf-8")
    failure = failure_of(identity.run)
    assert "web_client_secret (clients.gpuaas-web.secret)" in failure.seen
    assert "user_bob_password (users.bob.password)" in failure.seen
