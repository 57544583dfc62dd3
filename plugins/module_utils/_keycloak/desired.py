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

from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak import native
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
    """Every object of the document, by name. ``idle`` are clients of Keycloak's own that nobody here uses.

    ``url`` is where users find Keycloak, ``admin_url`` where administrators do; ``master`` holds the settings of their realm.
    """

    realm: str
    url: str
    admin_url: str
    settings: Json
    master: Json
    roles: dict[str, Json]
    groups: tuple[str, ...]
    scopes: dict[str, Json]
    clients: dict[str, Json] = field(repr=False)
    idle: dict[str, Json]
    users: dict[str, User]
    admin_name: str
    admin_password: str = field(repr=False)


def desired_from(document: Json, secrets: Secrets) -> Desired:
    """Translate a checked document; ``secrets`` has a value for every name in it."""
    return Desired(
        realm=document["realm"],
        url=document["url"].rstrip("/"),
        admin_url=document["admin"]["url"].rstrip("/"),
        settings=_settings(document),
        master=_master(document),
        roles={name: {"name": name, "description": role["means"], "composite": False} for name, role in document["roles"].items()},
        groups=_with_parents(document["groups"]),
        scopes={name: _scope(name, scope) for name, scope in document["client_scopes"].items()},
        clients={name: _client(name, client, secrets) for name, client in document["clients"].items()},
        idle={name: _idle(name) for name in sorted(native.CLIENTS - {native.MANAGEMENT})},
        users={name: _user(name, user, secrets) for name, user in document["users"].items()},
        admin_name=document["admin"]["username"],
        admin_password=secrets[document["admin"]["password"]],
    )


def _settings(document: Json) -> Json:
    login, tokens = document["login"], document["tokens"]
    return (
        {
            "realm": document["realm"],
            "displayName": document["display_name"],
            "enabled": True,
            "registrationAllowed": login["registration"],
            "resetPasswordAllowed": login["reset_password"],
            "rememberMe": login["remember_me"],
            "editUsernameAllowed": False,
            "defaultSignatureAlgorithm": tokens["signature"],
            "accessTokenLifespan": tokens["access"],
            # RFC 6749 section 4.1.2 has ten minutes as the maximum, OWASP ASVS 5 (10.4.3) one for its third level.
            "accessCodeLifespan": 60,
            # RFC 9700 section 4.14.2: a refresh token that is used again, by whoever stole it or by whom it was stolen
            # from, ends the session of the client.
            "revokeRefreshToken": True,
            "refreshTokenMaxReuse": tokens["refresh_reuse"],
            "ssoSessionIdleTimeout": tokens["session_idle"],
            "ssoSessionMaxLifespan": tokens["session_max"],
        }
        | native.FLOWS
        | _guarded(document)
    )


def _guarded(document: Json) -> Json:
    """What holds of both realms: how passwords are guarded, and what is recorded."""
    login, events = document["login"], document["events"]
    force = login["brute_force"]
    return {
        "sslRequired": login["ssl_required"],
        "passwordPolicy": login["password_policy"],
        "bruteForceProtected": True,
        "permanentLockout": False,
        "failureFactor": force["failures"],
        "waitIncrementSeconds": force["wait_increment"],
        "maxFailureWaitSeconds": force["wait_max"],
        "maxDeltaTimeSeconds": force["forget_after"],
        "quickLoginCheckMilliSeconds": force["quick_login_ms"],
        "minimumQuickLoginWaitSeconds": force["quick_login_wait"],
        "eventsEnabled": events["login"],
        "eventsExpiration": events["keep"],
        "adminEventsEnabled": events["admin"],
        # Details would hold whole representations, secrets of clients among them.
        "adminEventsDetailsEnabled": False,
    }


def _master(document: Json) -> Json:
    """The realm of administrators: guarded as the other, and found at its own URL, issuer and login page included."""
    # A run after a rotation tries the replaced passwords in a row, and must not be taken for a guessing script.
    patient = {"quickLoginCheckMilliSeconds": 0}
    return _guarded(document) | patient | {"attributes": {"frontendUrl": document["admin"]["url"].rstrip("/")}}


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
        # Ways to a token that nobody here takes (RFC 8628, CIBA, RFC 8693), and refresh tokens for a service account.
        "oauth2.device.authorization.grant.enabled": "false",
        "oidc.ciba.grant.enabled": "false",
        "standard.token.exchange.enabled": "false",
        "client_credentials.use_refresh_token": "false",
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
        "authenticationFlowBindingOverrides": {"browser": "", "direct_grant": ""},
        # What its tokens hold is its scopes' matter.
        "protocolMappers": [],
    }
    if "secret" in client:
        fields["secret"] = secrets[client["secret"]]
    return fields


def _idle(name: str) -> Json:
    return {"clientId": name, "enabled": False, "directAccessGrantsEnabled": False}


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
