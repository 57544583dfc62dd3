# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users: profile, password, roles and groups. Those of the document are exactly as it says; those that somebody made stay."""

from __future__ import annotations

from functools import partial

from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak import native
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.actual import ActualUser, password_stored
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.change import (
    Change,
    Phase,
    drift,
    merged,
    nothing,
)
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.desired import User
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.jsontypes import Json
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.objects.holdings import take_roles
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.ownership import PasswordMark
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.work import Work


def plan_users(work: Work) -> list[Change]:
    """Create, update and delete users."""
    changes: list[Change] = []
    for name, wanted in work.desired.users.items():
        found = work.actual.users.get(name)
        if found is None:
            fields = wanted.fields | {
                "roles": list(wanted.roles),
                "groups": list(wanted.groups),
                "password": wanted.password,
            }
            create = nothing if work.new_realm else partial(_create, work, name, wanted)
            changes.append(Change(Phase.USERS, "create", "user", name, {}, fields, create))
            continue
        before, after = _drift(work, name, wanted, found)
        if after:
            apply = partial(_update, work, name, wanted, found, after)
            changes.append(Change(Phase.USERS, "update", "user", name, before, after, apply))
    for name in work.dropped("users", work.desired.users):
        if name in work.actual.users:
            remove = partial(work.api.delete, work.realm, "users", work.actual.users[name].id)
            changes.append(Change(Phase.DELETE_USERS, "delete", "user", name, {"username": name}, {}, remove))
    ours = {*work.desired.users, *work.ownership.of("users")}
    work.beside |= {f"user {name}" for name in work.actual.usernames if name not in ours}
    return changes


def _drift(work: Work, name: str, wanted: User, found: ActualUser) -> tuple[Json, Json]:
    before, after = drift(wanted.fields, found.fields)
    default = native.default_role(work.realm)
    for kind, want, have in (("roles", wanted.roles, {*found.roles} - {default}), ("groups", wanted.groups, {*found.groups})):
        if have != set(want):
            before[kind], after[kind] = sorted(have), list(want)
    if found.client_roles:
        before["clientRoles"], after["clientRoles"] = found.client_roles, {}
    mark = work.ownership.passwords.get(name)
    if mark is None or not mark.matches(wanted.password, found.password_stored):
        before["password"], after["password"] = "set" if found.password_stored is not None else "", wanted.password
    return before, after


def _create(work: Work, name: str, wanted: User) -> None:
    user = work.api.post(
        work.realm,
        "users",
        body=wanted.fields | {"groups": list(wanted.groups), "credentials": [credential(wanted.password)]},
    )
    mark_password(work, name, user)
    give_roles(work, user, wanted.roles)


def _update(work: Work, name: str, wanted: User, found: ActualUser, after: Json) -> None:
    if set(after) - {"roles", "clientRoles", "groups", "password"}:
        work.api.put(work.realm, "users", found.id, body=merged(found.fields, wanted.fields))
    if {"roles", "clientRoles"} & set(after):
        take_roles(work, "users", found.id, {*wanted.roles, native.default_role(work.realm)})
        give_roles(work, found.id, tuple(role for role in wanted.roles if role not in found.roles))
    if "groups" in after:
        for path, group in found.groups.items():
            if path not in wanted.groups:
                work.api.delete(work.realm, "users", found.id, "groups", group)
        for path in wanted.groups:
            if path not in found.groups:
                work.api.put(work.realm, "users", found.id, "groups", work.actual.groups[path])
    if "password" in after:
        work.api.put(work.realm, "users", found.id, "reset-password", body=credential(wanted.password))
        mark_password(work, name, found.id)


def mark_password(work: Work, name: str, own: str) -> None:
    """Remember that this run set the password of user ``name``, whose id is ``own``, and when Keycloak stored it."""
    stored = password_stored(work.api, work.realm, own)
    work.passwords_set[name] = PasswordMark.of(work.desired.users[name].password, stored or 0)


def give_roles(work: Work, user: str, roles: tuple[str, ...]) -> None:
    """Give realm roles, which exist by now, to a user."""
    if roles:
        work.api.post(work.realm, "users", user, "role-mappings", "realm", body=[work.actual.roles[role] for role in roles])


def credential(password: str) -> Json:
    """A password that its user need not change, as a CredentialRepresentation."""
    return {"type": "password", "value": password, "temporary": False}
