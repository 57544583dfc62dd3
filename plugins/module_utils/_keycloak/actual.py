# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Keycloak holds: few bulk reads at once, then details of the users concerned."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak import native
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.api import Api
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.jsontypes import Json, as_json, as_list, by_key
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.ownership import Ownership, ownership_in

PARALLEL = 4
"""Requests at a time: what a Keycloak on a developer's machine answers without queueing."""

EVERYTHING = "2147483647"
"""Keycloak pages some lists unless it is told how many are wanted at most."""


@dataclass
class ActualUser:
    """A user as it is. ``password_stored`` is when its password was stored (ms), None without one.

    ``roles`` are realm roles by name, ``client_roles`` the names of each client's, in order.
    """

    fields: Json
    roles: dict[str, Json]
    client_roles: dict[str, list[str]]
    groups: dict[str, str]
    password_stored: int | None

    @property
    def id(self) -> str:
        return str(self.fields["id"])


@dataclass
class Actual:
    """A realm as it is: objects by name, groups by path. ``settings`` is None without a realm.

    ``group_roles`` are the names of roles that a group gives its members, by its path; ``default_composites`` the roles
    that the default role holds; ``usernames`` those of every user.
    """

    settings: Json | None
    ownership: Ownership | None = None
    roles: dict[str, Json] = field(default_factory=dict)
    default_composites: list[Json] = field(default_factory=list)
    groups: dict[str, str] = field(default_factory=dict)
    group_roles: dict[str, list[str]] = field(default_factory=dict)
    scopes: dict[str, Json] = field(default_factory=dict)
    clients: dict[str, Json] = field(default_factory=dict)
    identity_providers: dict[str, Json] = field(default_factory=dict)
    components: list[Json] = field(default_factory=list)
    flows: dict[str, Json] = field(default_factory=dict)
    executions: dict[str, list[Json]] = field(default_factory=dict)
    users: dict[str, ActualUser] = field(default_factory=dict)
    usernames: list[str] = field(default_factory=list)


def together(calls: Iterable[Callable[[], Any]]) -> list[Any]:
    """Run calls at once; their results in order, or the first failure once all have ended."""
    with ThreadPoolExecutor(max_workers=PARALLEL) as pool:
        futures = [pool.submit(call) for call in calls]
    return [future.result() for future in futures]


def observe(api: Api, realm: str, usernames: Iterable[str]) -> Actual:
    """Read the realm: details of those users and the ones it records as owned, and all of the rest."""
    wanted = sorted(usernames)
    settings, roles, composites, groups, scopes, clients, providers, components, flows, everybody, *found = together(
        [
            lambda: api.get(realm),
            lambda: api.get_list(realm, "roles", briefRepresentation="false", max=EVERYTHING),
            lambda: api.get_list(realm, "roles", native.default_role(realm), "composites"),
            lambda: api.get_list(realm, "groups", briefRepresentation="false", max=EVERYTHING),
            lambda: api.get_list(realm, "client-scopes"),
            lambda: api.get_list(realm, "clients"),
            lambda: api.get_list(realm, "identity-provider", "instances"),
            lambda: api.get_list(realm, "components"),
            lambda: api.get_list(realm, "authentication", "flows"),
            lambda: api.get_list(realm, "users", briefRepresentation="true", max=EVERYTHING),
            *(_finder(api, realm, name) for name in wanted),
        ]
    )
    if not isinstance(settings, dict):
        return Actual(settings=None)
    ownership = ownership_in(settings)
    dropped = sorted((ownership.of("users") if ownership else frozenset()) - set(wanted))
    own_flows = [str(flow["alias"]) for flow in flows if flow.get("builtIn")]
    found += together([_finder(api, realm, name) for name in dropped])
    fields = {name: user for name, user in zip([*wanted, *dropped], found, strict=True) if user is not None}
    every, *details = together(
        [
            lambda: _with_children(api, realm, groups),
            *(partial(api.get_list, realm, "authentication", "flows", alias, "executions") for alias in own_flows),
            *(_reader(api, realm, user) for user in fields.values()),
        ]
    )
    return Actual(
        settings=settings,
        ownership=ownership,
        roles=by_key(roles, "name"),
        default_composites=composites,
        groups={path: str(group["id"]) for path, group in every.items()},
        group_roles={path: roles for path, group in every.items() if (roles := _names_of_roles(group))},
        scopes=by_key(scopes, "name"),
        clients=by_key(clients, "clientId"),
        identity_providers=by_key(providers, "alias"),
        components=components,
        flows=by_key(flows, "alias"),
        executions=dict(zip(own_flows, details, strict=False)),
        users=dict(zip(fields, details[len(own_flows) :], strict=True)),
        usernames=sorted(str(user["username"]) for user in everybody),
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
        mappings = api.get_object(realm, "users", own, "role-mappings")
        return ActualUser(
            fields=user,
            roles=by_key(as_list(mappings.get("realmMappings")), "name"),
            client_roles={
                client: sorted(by_key(as_list(as_json(held).get("mappings")), "name"))
                for client, held in sorted(as_json(mappings.get("clientMappings")).items())
            },
            groups={str(group["path"]): str(group["id"]) for group in api.get_list(realm, "users", own, "groups", max=EVERYTHING)},
            password_stored=password_stored(api, realm, own),
        )

    return read


def _with_children(api: Api, realm: str, groups: list[Json]) -> dict[str, Json]:
    """These groups and all below them, by path; Keycloak lists one level at a time."""
    found: dict[str, Json] = {}
    for group in groups:
        found[str(group["path"])] = group
        if group.get("subGroupCount"):
            below = api.get_list(realm, "groups", str(group["id"]), "children", briefRepresentation="false", max=EVERYTHING)
            found |= _with_children(api, realm, below)
    return found


def _names_of_roles(group: Json) -> list[str]:
    """The roles that a group gives, those of clients behind the client's name."""
    of_clients = [f"{client}/{name}" for client, names in as_json(group.get("clientRoles")).items() for name in names]
    return sorted([*(group.get("realmRoles") or []), *of_clients])
