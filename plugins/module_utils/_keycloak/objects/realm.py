# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The realm itself: its settings, and its creation with roles, groups and users in one request."""

from __future__ import annotations

from functools import partial
from pathlib import PurePosixPath

from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.actual import find_user, together
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.change import Change, Phase, drift, merged
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.desired import Desired
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.jsontypes import Json, as_json, by_key
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.objects.keys import key_providers
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.objects.users import mark_password
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.ownership import Ownership
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.work import Work


def plan_realm(work: Work) -> list[Change]:
    """Create the realm, or update the settings that the document rules."""
    wanted = work.desired.settings
    if work.actual.settings is None:
        return [Change(Phase.REALM, "create", "realm", work.realm, {}, wanted, lambda: _create(work))]
    before, after = drift(wanted, work.actual.settings)
    if not after:
        return []
    return [Change(Phase.REALM, "update", "realm", work.realm, before, after, lambda: put_realm(work, wanted))]


def put_realm(work: Work, fields: Json) -> None:
    """Put ``fields`` into the realm. Keycloak resets what a representation leaves out, so all of it is sent."""
    whole = merged(work.api.get_object(work.realm), fields)
    work.api.put(work.realm, body=whole)
    work.actual.settings = whole


def record(work: Work, ownership: Ownership) -> None:
    """Write ownership into the realm's attributes, unless it stands there."""
    attributes = as_json((work.actual.settings or {}).get("attributes"))
    wanted = ownership.attributes()
    if any(attributes.get(key) != value for key, value in wanted.items()):
        put_realm(work, {"attributes": wanted})
    work.actual.ownership = ownership


def _create(work: Work) -> None:
    """One transaction for all of it: an interruption leaves the whole realm, claimed, or none."""
    ownership = Ownership().claiming(work.desired)
    work.api.post(body=creation(work.desired) | {"attributes": ownership.attributes()})
    settings, scopes, *_marks = together(
        [
            lambda: work.api.get_object(work.realm),
            lambda: work.api.get_list(work.realm, "client-scopes"),
            *(partial(_mark, work, name) for name in work.desired.users),
        ]
    )
    work.actual.settings, work.actual.ownership, work.actual.scopes = settings, ownership, by_key(scopes, "name")


def _mark(work: Work, name: str) -> None:
    user = find_user(work.api, work.realm, name)
    if user is not None:
        mark_password(work, name, str(user["id"]))


def creation(desired: Desired) -> Json:
    """The representation that creates the realm with its roles, groups and users."""
    keys = key_providers(str(desired.settings["defaultSignatureAlgorithm"]))
    return (
        desired.settings
        | keys
        | {
            "roles": {"realm": list(desired.roles.values())},
            "groups": _tree(desired.groups),
            # Those of Keycloak's own clients that are given here it does not make itself, with roles that every user gets.
            "clients": list(desired.idle.values()),
            "users": [
                user.fields
                | {
                    # An imported user gets no default role by itself, a created one does; here both do.
                    "realmRoles": [f"default-roles-{desired.realm}", *user.roles],
                    "groups": list(user.groups),
                    "credentials": [{"type": "password", "value": user.password, "temporary": False}],
                }
                for user in desired.users.values()
            ],
        }
    )


def _tree(paths: tuple[str, ...], parent: str = "/") -> list[Json]:
    children = [path for path in paths if str(PurePosixPath(path).parent) == parent]
    return [{"name": PurePosixPath(path).name, "subGroups": _tree(paths, path)} for path in children]
