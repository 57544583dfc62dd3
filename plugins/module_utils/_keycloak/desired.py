# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a realm document asks for, in the terms of Keycloak's admin API.

Every object holds exactly the fields that the document rules. Field names and
mapper types are those of Keycloak's admin REST API (RealmRepresentation,
ClientRepresentation, ProtocolMapperRepresentation ...).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath

from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.jsontypes import Json
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.secret_values import Secrets

PROTOCOL = "openid-connect"
BASIC_SCOPE = "basic"
"""Keycloak's own scope that puts ``sub`` into an access token (since 25)."""
SERVICE_ACCOUNT_SCOPE = "service_account"
"""Keycloak's own scope that every client with a service account gets (since 26)."""


@dataclass(frozen=True)
class User:
    """A user: its representation, the roles and group paths it has, and its password."""

    fields: Json
    roles: tuple[str, ...]
    groups: tuple[str, ...]
    password: str = field(repr=False)


@dataclass(frozen=True)
class Desired:
    """Every object of the document, by name."""

    realm: str
    settings: Json
    roles: dict[str, Json]
    groups: tuple[str, ...]
    scopes: dict[str, Json]
    clients: dict[str, Json] = field(repr=False)
    users: dict[str, User]
    admin_name: str
    admin_password: str = field(repr=False)


def desired_from(document: Json, secrets: Secrets) -> Desired:
    """Translate a checked document; ``secrets`` has a value for every name in it."""
    return Desired(
        realm=document["realm"],
        settings=_settings(document),
        roles={name: {"name": name, "description": role["means"]} for name, role in document["roles"].items()},
        groups=_with_parents(document["groups"]),
        scopes={name: _scope(name, scope) for name, scope in document["client_scopes"].items()},
        clients={name: _client(name, client, secrets) for name, client in document["clients"].items()},
        users={name: _user(name, user, secrets) for name, user in document["users"].items()},
        admin_name=document["admin"]["username"],
        admin_password=secrets[document["admin"]["password"]],
    )


def _settings(document: Json) -> Json:
    login, force = document["login"], document["login"]["brute_force"]
    tokens, events = document["tokens"], document["events"]
    return {
        "realm": document["realm"],
        "displayName": document["display_name"],
        "enabled": True,
        "sslRequired": login["ssl_required"],
        "registrationAllowed": login["registration"],
        "resetPasswordAllowed": login["reset_password"],
        "rememberMe": login["remember_me"],
        "passwordPolicy": login["password_policy"],
        "bruteForceProtected": True,
        "permanentLockout": False,
        "failureFactor": force["failures"],
        "waitIncrementSeconds": force["wait_increment"],
        "maxFailureWaitSeconds": force["wait_max"],
        "maxDeltaTimeSeconds": force["forget_after"],
        "quickLoginCheckMilliSeconds": force["quick_login_ms"],
        "minimumQuickLoginWaitSeconds": force["quick_login_wait"],
        "defaultSignatureAlgorithm": tokens["signature"],
        "accessTokenLifespan": tokens["access"],
        "ssoSessionIdleTimeout": tokens["session_idle"],
        "ssoSessionMaxLifespan": tokens["session_max"],
        "eventsEnabled": events["login"],
        "eventsExpiration": events["keep"],
        "adminEventsEnabled": events["admin"],
        # Details would hold whole representations, secrets of clients among them.
        "adminEventsDetailsEnabled": False,
    }


def _with_parents(paths: list[str]) -> tuple[str, ...]:
    """Group paths, parents first."""
    every = set(paths)
    for path in paths:
        every.update(str(parent) for parent in PurePosixPath(path).parents if str(parent) != "/")
    return tuple(sorted(every))


def _scope(name: str, scope: Json) -> Json:
    return {
        "name": name,
        "description": scope["means"],
        "protocol": PROTOCOL,
        "attributes": {"include.in.token.scope": "true", "display.on.consent.screen": "false"},
        "protocolMappers": [_mapper(mapper_name, mapper) for mapper_name, mapper in scope["mappers"].items()],
    }


def _mapper(name: str, mapper: Json) -> Json:
    into = {"access.token.claim": "true", "introspection.token.claim": "true"}
    if mapper["kind"] == "audience":
        kind, config = (
            "oidc-audience-mapper",
            {"included.client.audience": mapper["audience"], "id.token.claim": "false"},
        )
    else:
        # The web console shows roles and projects from the ID token.
        config = {"claim.name": mapper["claim"], "id.token.claim": "true", "userinfo.token.claim": "true"}
        if mapper["kind"] == "realm_roles":
            kind = "oidc-usermodel-realm-role-mapper"
            config |= {"multivalued": "true", "jsonType.label": "String"}
        else:
            kind = "oidc-group-membership-mapper"
            config |= {"full.path": "true"}
    return {"name": name, "protocol": PROTOCOL, "protocolMapper": kind, "config": into | config}


def _client(name: str, client: Json, secrets: Secrets) -> Json:
    web, service = client["kind"] == "web", client["kind"] == "service_account"
    # Empty attributes are "not set" to Keycloak; naming them makes their drift visible.
    attributes = {
        "pkce.code.challenge.method": "S256" if web else "",
        "post.logout.redirect.uris": "##".join(client.get("post_logout_redirect_uris", [])),
        "access.token.lifespan": str(client.get("access_token_lifespan", "")),
    }
    scopes = {BASIC_SCOPE, *client.get("scopes", [])} | ({SERVICE_ACCOUNT_SCOPE} if service else set())
    fields: Json = {
        "clientId": name,
        "description": client["means"],
        "enabled": True,
        "protocol": PROTOCOL,
        "publicClient": False,
        "bearerOnly": False,
        "clientAuthenticatorType": "client-secret",
        "standardFlowEnabled": web,
        "implicitFlowEnabled": False,
        "directAccessGrantsEnabled": False,
        "serviceAccountsEnabled": service,
        "consentRequired": False,
        # The roles of a user may enter tokens of the console; a service account has none to give.
        "fullScopeAllowed": web,
        "baseUrl": client.get("home_url", ""),
        "redirectUris": sorted(client.get("redirect_uris", [])),
        "webOrigins": [],
        "attributes": attributes,
        "defaultClientScopes": sorted(scopes),
        "optionalClientScopes": [],
    }
    if "secret" in client:
        fields["secret"] = secrets[client["secret"]]
    return fields


def _user(name: str, user: Json, secrets: Secrets) -> User:
    fields = {
        "username": name,
        "enabled": True,
        "firstName": user["first_name"],
        "lastName": user["last_name"],
        "email": user["email"],
        "emailVerified": True,
        "requiredActions": [],
    }
    return User(fields, tuple(sorted(user["roles"])), tuple(sorted(user["groups"])), secrets[user["password"]])
