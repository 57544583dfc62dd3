# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Realm master: guarded as the document says, and with nobody in it but the administrator and Keycloak's own clients.

Whoever is in it for another reason may, or can be made to, administer every realm: none of it is data.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak import native
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.actual import EVERYTHING, Actual, together
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.admin import MASTER, Administrators
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.api import Api
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.change import Change, Phase, drift, merged
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.desired import Desired
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.jsontypes import Json, by_key
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.objects.sources import plan_sources
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.work import Work

_CLIENTS = native.CLIENTS - {native.MANAGEMENT} | {native.SYSTEM_CLIENT}
"""Of Keycloak itself, beside one with the rights on each realm."""


def plan_master(api: Api, desired: Desired, who: Administrators) -> list[Change]:
    """Give realm master its settings, switch off its other users, and delete what else leads into it.

    With another URL its tokens count no longer, this login's among them.
    """
    settings, realms, clients, users, providers, components = together(
        [
            lambda: api.get_object(MASTER),
            lambda: api.get_list(briefRepresentation="true"),
            lambda: api.get_list(MASTER, "clients"),
            lambda: api.get_list(MASTER, "users", briefRepresentation="true", max=EVERYTHING),
            lambda: api.get_list(MASTER, "identity-provider", "instances"),
            lambda: api.get_list(MASTER, "components"),
        ]
    )
    own_clients = _CLIENTS | {f"{realm['realm']}-realm" for realm in realms}
    actual = Actual(settings, identity_providers=by_key(providers, "alias"), components=components)
    inside = [
        *_clients(api, clients, own_clients, who.client_id),
        *_users(api, users, who.username),
        *plan_sources(Work(api, replace(desired, realm=MASTER), actual)),
    ]
    # Told from what is in the platform's realm.
    named = [replace(change, kind=f"{change.kind} of realm {MASTER}") for change in inside]
    return [*_settings(api, desired.master, settings), *sorted(named, key=lambda change: change.phase)]


def _settings(api: Api, wanted: Json, found: Json) -> list[Change]:
    before, after = drift(wanted, found)
    change = partial(api.put, MASTER, body=merged(found, wanted))
    return [Change(Phase.REALM, "update", "realm", MASTER, before, after, change)] if after else []


def _clients(api: Api, found: list[Json], own: frozenset[str], temporary: str) -> list[Change]:
    """Strangers go; of Keycloak's own none has a service account. The temporary administrator is looked at elsewhere."""
    changes = []
    for name, client in sorted(by_key(found, "clientId").items()):
        place = (MASTER, "clients", str(client["id"]))
        if name in own:
            wanted = {"clientId": name, "serviceAccountsEnabled": False}
            before, after = drift(wanted, client)
            if after:
                changes.append(Change(Phase.CLIENTS, "update", "client", name, before, after, partial(api.put, *place, body=wanted)))
        elif name != temporary:
            remove = partial(api.delete, *place)
            changes.append(Change(Phase.DELETE_CLIENTS, "delete", "client", name, {"clientId": name}, {}, remove))
    return changes


def _users(api: Api, found: list[Json], administrator: str) -> list[Change]:
    """Switched off and not deleted: what somebody did stays to be looked at, and one that was no intruder can be let in again."""
    return [
        Change(Phase.USERS, "update", "user", name, {"enabled": True}, {"enabled": False}, partial(_switch_off, api, str(user["id"])))
        for name, user in sorted(by_key(found, "username").items())
        if name != administrator and user.get("enabled")
    ]


def _switch_off(api: Api, user: str) -> None:
    """Keycloak takes no token of somebody who is disabled, so sessions that stand are of no use."""
    api.put(MASTER, "users", user, body=api.get_object(MASTER, "users", user) | {"enabled": False})
