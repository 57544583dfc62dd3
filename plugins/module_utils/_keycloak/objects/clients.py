# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients, with their secrets and the client scopes that are linked to them; those of Keycloak's own are switched off."""

from __future__ import annotations

from functools import partial

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak import native
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.change import Change, Phase, drift
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.jsontypes import Json, as_list, by_key
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.work import Work

MAPPERS = "protocolMappers"
LINKS = {"defaultClientScopes": "default-client-scopes", "optionalClientScopes": "optional-client-scopes"}


def plan_clients(work: Work) -> list[Change]:
    """Create, update and delete clients.

    Raises ParityError KEYCLOAK_REALM_INVALID when a client names a client scope
    that neither the document nor the realm has: Keycloak would ignore it.
    """
    changes: list[Change] = []
    if not work.new_realm:
        for name, wanted in work.desired.clients.items():
            _require_scopes(work, name, wanted, {*work.desired.scopes, *work.actual.scopes})
    for name, wanted in work.desired.clients.items():
        found = work.actual.clients.get(name)
        if found is None:
            changes.append(Change(Phase.CLIENTS, "create", "client", name, {}, wanted, partial(_create, work, name, wanted)))
            continue
        before, after = drift(wanted, found | {MAPPERS: sorted(by_key(as_list(found.get(MAPPERS)), "name"))})
        if after:
            apply = partial(_update, work, wanted, found, after)
            changes.append(Change(Phase.CLIENTS, "update", "client", name, before, after, apply))
    for name, wanted in work.desired.idle.items():
        # One that is not there does no harm, and Keycloak would not miss it.
        before, after = drift(wanted, work.actual.clients.get(name, wanted))
        if after:
            changes.append(Change(Phase.CLIENTS, "update", "client", name, before, after, partial(_switch_off, work, wanted)))
    for name in sorted({*work.actual.clients} - {*work.desired.clients} - native.CLIENTS - {native.SYSTEM_CLIENT}):
        remove = partial(work.api.delete, work.realm, "clients", str(work.actual.clients[name]["id"]))
        changes.append(Change(Phase.DELETE_CLIENTS, "delete", "client", name, {"clientId": name}, {}, remove))
    return changes


def _require_scopes(work: Work, name: str, wanted: Json, known: set[str]) -> None:
    for scope in wanted["defaultClientScopes"]:
        if scope not in known:
            raise ParityError("KEYCLOAK_REALM_INVALID", f"clients.{name}.scopes: realm {work.realm} has no client scope {scope}")


def _create(work: Work, name: str, wanted: Json) -> None:
    _require_scopes(work, name, wanted, set(work.actual.scopes))
    work.api.post(work.realm, "clients", body=wanted)


def _update(work: Work, wanted: Json, found: Json, after: Json) -> None:
    client = str(found["id"])
    # An update of the client ignores its scopes and its mappers.
    others = {key: value for key, value in wanted.items() if key not in (*LINKS, MAPPERS)}
    if set(after) & set(others):
        work.api.put(work.realm, "clients", client, body=others)
    for mapper in as_list(found.get(MAPPERS)):
        work.api.delete(work.realm, "clients", client, "protocol-mappers", "models", str(mapper["id"]))
    # Unlinked first: a scope cannot be default and optional at once.
    for field, resource in LINKS.items():
        for scope in sorted(set(found.get(field) or []) - set(wanted[field])):
            work.api.delete(work.realm, "clients", client, resource, str(work.actual.scopes[scope]["id"]))
    for field, resource in LINKS.items():
        for scope in sorted(set(wanted[field]) - set(found.get(field) or [])):
            work.api.put(work.realm, "clients", client, resource, str(work.actual.scopes[scope]["id"]))


def _switch_off(work: Work, wanted: Json) -> None:
    work.api.put(work.realm, "clients", str(work.actual.clients[wanted["clientId"]]["id"]), body=wanted)
