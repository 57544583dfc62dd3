# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Realm roles."""

from __future__ import annotations

from functools import partial

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
    for name in work.dropped("roles", work.desired.roles):
        if name in work.actual.roles:
            remove = partial(work.api.delete, work.realm, "roles", name)
            changes.append(Change(Phase.DELETE_ROLES, "delete", "role", name, {"name": name}, {}, remove))
    return changes


def _create(work: Work, wanted: Json) -> None:
    work.api.post(work.realm, "roles", body=wanted)
    # Its id is needed to give it to users, and creation does not tell it.
    work.actual.roles[wanted["name"]] = work.api.get_object(work.realm, "roles", wanted["name"])


def _update(work: Work, name: str, wanted: Json) -> None:
    work.api.put(work.realm, "roles", name, body=work.actual.roles[name] | wanted)
