# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Keycloak holds: few bulk reads at once, then details of the users concerned."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.api import Api
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.jsontypes import Json, by_key
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.ownership import Ownership, ownership_in

PARALLEL = 4
"""Requests at a time: what a Keycloak on a developer's machine answers without queueing."""

EVERYTHING = "2147483647"
"""Keycloak pages some lists unless it is told how many are wanted at most."""


@dataclass
class ActualUser:
    """A user as it is. ``password_stored`` is when its password was stored (ms), None without one."""

    fields: Json
    roles: dict[str, Json]
    groups: dict[str, str]
    password_stored: int | None

    @property
    def id(self) -> str:
        return str(self.fields["id"])


@dataclass
class Actual:
    """A realm as it is: objects by name, groups by path with their ids. ``settings`` is None without a realm."""

    settings: Json | None
    ownership: Ownership | None = None
    roles: dict[str, Json] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    scopes: dict[str, Json] = field(default_factory=dict)
    clients: dict[str, Json] = field(default_factory=dict)
    users: dict[str, ActualUser] = field(default_factory=dict)


def together(calls: Iterable[Callable[[], Any]]) -> list[Any]:
    """Run calls at once; their results in order, or the first failure once all have ended."""
    with ThreadPoolExecutor(max_workers=PARALLEL) as pool:
        futures = [pool.submit(call) for call in calls]
    return [future.result() for future in futures]


def observe(api: Api, realm: str, usernames: Iterable[str], group_paths: Iterable[str]) -> Actual:
    """Read the realm: those users and groups, the ones it records as owned, and all of the rest."""
    wanted = sorted(usernames)
    settings, roles, groups, scopes, clients, *found = together(
        [
            lambda: api.get(realm),
            lambda: api.get_list(realm, "roles", briefRepresentation="false", max=EVERYTHING),
            lambda: api.get_list(realm, "groups", max=EVERYTHING),
            lambda: api.get_list(realm, "client-scopes"),
            lambda: api.get_list(realm, "clients"),
            *(_finder(api, realm, name) for name in wanted),
        ]
    )
    if not isinstance(settings, dict):
        return Actual(settings=None)
    ownership = ownership_in(settings)
    dropped = sorted((ownership.of("users") if ownership else frozenset()) - set(wanted))
    found += together([_finder(api, realm, name) for name in dropped])
    fields = {name: user for name, user in zip([*wanted, *dropped], found, strict=True) if user is not None}
    paths = {*group_paths, *(ownership.of("groups") if ownership else ())}
    *users, below = together([*(_reader(api, realm, user) for user in fields.values()), lambda: _with_children(api, realm, groups, paths)])
    return Actual(
        settings=settings,
        ownership=ownership,
        roles=by_key(roles, "name"),
        groups=below,
        scopes=by_key(scopes, "name"),
        clients=by_key(clients, "clientId"),
        users=dict(zip(fields, users, strict=True)),
    )


def find_user(api: Api, realm: str, username: str) -> Json | None:
    """The representation of the user of exactly this name."""
    found = api.get_list(realm, "users", username=username, exact="true", briefRepresentation="false")
    return next((user for user in found if user.get("username") == username), None)


def password_stored(api: Api, realm: str, user_id: str) -> int | None:
    """When the user's password was stored (ms since the epoch), None when it has none."""
    for credential in api.get_list(realm, "users", user_id, "credentials"):
        if credential.get("type") == "password":
            return int(credential.get("createdDate") or 0)
    return None


def _finder(api: Api, realm: str, username: str) -> Callable[[], Json | None]:
    return lambda: find_user(api, realm, username)


def _reader(api: Api, realm: str, user: Json) -> Callable[[], ActualUser]:
    def read() -> ActualUser:
        own = str(user["id"])
        return ActualUser(
            fields=user,
            roles=by_key(api.get_list(realm, "users", own, "role-mappings", "realm"), "name"),
            groups={str(group["path"]): str(group["id"]) for group in api.get_list(realm, "users", own, "groups", max=EVERYTHING)},
            password_stored=password_stored(api, realm, own),
        )

    return read


def _with_children(api: Api, realm: str, groups: list[Json], paths: set[str]) -> dict[str, str]:
    """Ids by path of these groups and of those below on the way to ``paths``; Keycloak lists one level at a time."""
    found: dict[str, str] = {}
    for group in groups:
        path, own = str(group["path"]), str(group["id"])
        found[path] = own
        if group.get("subGroupCount") and (path in paths or any(wanted.startswith(f"{path}/") for wanted in paths)):
            found |= _with_children(api, realm, api.get_list(realm, "groups", own, "children", max=EVERYTHING), paths)
    return found
