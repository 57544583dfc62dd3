# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The administrators of realm master: from the temporary client that Keycloak starts with to the permanent user.

Keycloak makes the temporary client from KC_BOOTSTRAP_ADMIN_CLIENT_ID when it
makes realm master, and marks it with attribute ``is_temporary_admin``. It goes
only after the permanent user has proved that it may administer.

Both log in with what they have or, when that was replaced and Keycloak does not
know it yet, with what they had; the permanent user then gets its new password.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.actual import find_user, together
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.api import Api, Login
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.change import Change, Phase
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.jsontypes import Json, as_json
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.objects.users import credential
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.patience import Patient

MASTER = "master"
ADMIN_ROLE = "admin"
"""Composite realm role of master with every right on every realm."""
TEMPORARY = "is_temporary_admin"


@dataclass(frozen=True)
class Administrators:
    """The permanent user and the temporary client, with what they log in with now and did before."""

    username: str
    password: str
    client_id: str
    client_secret: str
    old_passwords: tuple[str, ...] = ()
    old_client_secrets: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Administrators({self.username}, {self.client_id})"


@dataclass
class SignedIn:
    """The login in use, and the temporary client as far as it exists. ``outdated``: with a replaced password."""

    api: Api
    permanent: bool
    temporary: Json | None
    outdated: bool = False


def sign_in(http: Patient, who: Administrators) -> SignedIn:
    """Log in as the permanent user or, where that may not administer yet, as the temporary client.

    The client is asked first: that one is unknown costs Keycloak nothing, that one password is wrong a slow hash.
    Raises ParityError KEYCLOAK_AUTH when Keycloak takes neither.
    """
    client, temporary = _client(http, who), None
    if client is not None:
        temporary, user = together([partial(_temporary, client, who.client_id), partial(find_user, client, MASTER, who.username)])
        if user is None:
            return SignedIn(client, False, temporary)
    for password in (who.password, *who.old_passwords):
        api = Api(http, Login.user(who.username, password))
        if not api.log_in():
            continue
        try:
            return SignedIn(api, True, _temporary(api, who.client_id), password != who.password)
        except ParityError as error:
            api.log_out()
            # A run was interrupted between the user's creation and its role.
            if error.reason != "KEYCLOAK_AUTH":
                raise
    if client is None:
        raise ParityError(
            "KEYCLOAK_AUTH",
            f"{http.base_url} accepts neither user {who.username} nor temporary client {who.client_id} of realm master",
        )
    return SignedIn(client, False, temporary)


def _client(http: Patient, who: Administrators) -> Api | None:
    for secret in (who.client_secret, *who.old_client_secrets):
        api = Api(http, Login.client(who.client_id, secret))
        if api.log_in():
            return api
    return None


def plan_admin(now: SignedIn, who: Administrators) -> list[Change]:
    """Make the permanent user, or finish it, while only the temporary client may; give it a password that is new."""
    if now.permanent and now.outdated:
        change = partial(_set_password, now.api, who)
        return [Change(Phase.REALM, "update", "admin", who.username, {"password": "set"}, {"password": who.password}, change)]
    if now.permanent:
        return []
    after = {"username": who.username, "password": who.password, "roles": [ADMIN_ROLE]}
    return [Change(Phase.REALM, "create", "admin", who.username, {}, after, lambda: _make(now.api, who))]


def plan_farewell(now: SignedIn, who: Administrators) -> list[Change]:
    """Remove the temporary client.

    Raises ParityError KEYCLOAK_CONFLICT when a client of its name exists that Keycloak does not call temporary.
    """
    if now.temporary is None:
        return []
    if as_json(now.temporary.get("attributes")).get(TEMPORARY) != "true":
        raise ParityError(
            "KEYCLOAK_CONFLICT",
            f"client {who.client_id} of realm master is not the temporary one that Keycloak made",
            f"delete client {who.client_id} in realm master of the admin console, then repeat",
        )
    own = str(now.temporary["id"])
    before = {"clientId": who.client_id}
    return [
        Change(
            Phase.REALM,
            "delete",
            "temporary admin",
            who.client_id,
            before,
            {},
            lambda: now.api.delete(MASTER, "clients", own),
        )
    ]


def become_permanent(http: Patient, now: SignedIn, who: Administrators) -> SignedIn:
    """Log in as the permanent user that was just made or given a new password; KEYCLOAK_AUTH when that fails."""
    if now.permanent and not now.outdated:
        return now
    api = Api(http, Login.user(who.username, who.password))
    if not api.log_in():
        raise ParityError("KEYCLOAK_AUTH", f"{http.base_url} does not accept user {who.username} that was just made or changed")
    try:
        return SignedIn(api, True, _temporary(api, who.client_id))
    except ParityError:
        api.log_out()
        raise


def _temporary(api: Api, client_id: str) -> Json | None:
    return next((c for c in api.get_list(MASTER, "clients", clientId=client_id) if c.get("clientId") == client_id), None)


def _set_password(api: Api, who: Administrators) -> None:
    user = find_user(api, MASTER, who.username)
    if user is None:
        raise ParityError("KEYCLOAK_AUTH", f"user {who.username} of realm master went away")
    api.put(MASTER, "users", str(user["id"]), "reset-password", body=credential(who.password))


def _make(api: Api, who: Administrators) -> None:
    user = find_user(api, MASTER, who.username)
    fields = {"username": who.username, "enabled": True, "requiredActions": []}
    if user is None:
        own = api.post(MASTER, "users", body=fields | {"credentials": [credential(who.password)]})
    else:
        own = str(user["id"])
        api.put(MASTER, "users", own, body=user | fields)
        api.put(MASTER, "users", own, "reset-password", body=credential(who.password))
    role = api.get_object(MASTER, "roles", ADMIN_ROLE)
    api.post(MASTER, "users", own, "role-mappings", "realm", body=[role])
