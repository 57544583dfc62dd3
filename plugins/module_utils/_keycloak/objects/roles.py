# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Realm roles. A role of the document holds no other one, and the role that every user gets holds Keycloak's own."""

from __future__ import annotations

from functools import partial

from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak import native
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.change import Change, Phase, drift, nothing
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.jsontypes import Json
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.work import Work


def plan_roles(work: Work) -> list[Change]:
    """Create, update and delete realm roles."""
    changes: list[Change] = []
    for name, wanted in work.desired.roles.items():
        found = work.actual.roles.get(name)
        if found is None:
            create = nothing if work.new_realm else partial(_create, work, wanted)
            changes.append(Change(Phase.ROLES, "create", "role", name, {}, wanted, create))
            continue
        before, after = drift(wanted, found)
        if after:
            changes.append(Change(Phase.ROLES, "update", "role", name, before, after, partial(_update, work, name, wanted)))
    default = native.default_role(work.realm)
    if extra := [role for role in work.actual.default_composites if not _given_to_all(work, role)]:
        remove = partial(work.api.delete, work.realm, "roles", default, "composites", body=extra)
        names = sorted(str(role["name"]) for role in extra)
        changes.append(Change(Phase.ROLES, "update", "role", default, {"composites": names}, {"composites": []}, remove))
    for name in sorted({*work.actual.roles} - {*work.desired.roles} - native.ROLES - {default}):
        remove = partial(work.api.delete, work.realm, "roles", name)
        changes.append(Change(Phase.DELETE_ROLES, "delete", "role", name, {"name": name}, {}, remove))
    return changes


def _given_to_all(work: Work, role: Json) -> bool:
    """Whether Keycloak itself puts ``role`` into the role that every user gets."""
    if not role.get("clientRole"):
        return role["name"] in native.ROLES
    account = work.actual.clients.get(native.ACCOUNT, {})
    return role.get("containerId") == account.get("id") and role["name"] in native.ACCOUNT_ROLES


def _create(work: Work, wanted: Json) -> None:
    work.api.post(work.realm, "roles", body=wanted)
    # Its id is needed to give it to users, and creation does not tell it.
    work.actual.roles[wanted["name"]] = work.api.get_object(work.realm, "roles", wanted["name"])


def _update(work: Work, name: str, wanted: Json) -> None:
    found = work.actual.roles[name]
    if found.get("composite"):
        held = work.api.get_list(work.realm, "roles", name, "composites")
        work.api.delete(work.realm, "roles", name, "composites", body=held)
    work.api.put(work.realm, "roles", name, body=found | wanted)
