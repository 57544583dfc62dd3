# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients, with their secrets and the client scopes that are linked to them."""

from __future__ import annotations

from functools import partial

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.change import Change, Phase, drift
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.jsontypes import Json
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.work import Work

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
        before, after = drift(wanted, found)
        if after:
            apply = partial(_update, work, wanted, found, after)
            changes.append(Change(Phase.CLIENTS, "update", "client", name, before, after, apply))
    for name in work.dropped("clients", work.desired.clients):
        if name in work.actual.clients:
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
    if not set(after) <= set(LINKS):
        work.api.put(work.realm, "clients", client, body={key: value for key, value in wanted.items() if key not in LINKS})
    # An update of the client ignores its scopes; they are linked one by one.
    # Unlinked first: a scope cannot be default and optional at once.
    for field, resource in LINKS.items():
        for scope in sorted(set(found.get(field) or []) - set(wanted[field])):
            work.api.delete(work.realm, "clients", client, resource, str(work.actual.scopes[scope]["id"]))
    for field, resource in LINKS.items():
        for scope in sorted(set(wanted[field]) - set(found.get(field) or [])):
            work.api.put(work.realm, "clients", client, resource, str(work.actual.scopes[scope]["id"]))
