# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Keycloak itself puts into every realm, so that it is no stranger there. As 26.7 makes it: compare when the version is raised."""

from __future__ import annotations

from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.jsontypes import Json

ROLES = frozenset({"offline_access", "uma_authorization"})
"""Realm roles, beside ``default_role``."""

CLIENTS = frozenset({"account", "account-console", "admin-cli", "broker", "realm-management", "security-admin-console"})
"""Clients. Nothing of the platform logs in with them, and the administrators' are those of realm master."""

MANAGEMENT = "realm-management"
"""The one of them that Keycloak lets nobody change. It only has roles, and nobody logs in with it."""

ACCOUNT = "account"
ACCOUNT_ROLES = frozenset({"manage-account", "view-profile"})
"""Its roles that the default role holds."""

SYSTEM_CLIENT = "_system"
"""Keycloak makes it when a page needs a client and ``account`` is disabled."""

SCOPES = frozenset(
    {"AuthnContextClassRef", "acr", "address", "basic", "email", "microprofile-jwt", "offline_access", "organization", "phone", "profile"}
    | {"role_list", "roles", "saml_organization", "service_account", "web-origins"}
)
"""Client scopes."""

_TOKENS = {"id.token.claim": "true", "introspection.token.claim": "true", "access.token.claim": "true"}


def _mapper(name: str, kind: str, config: Json) -> Json:
    return {"name": name, "protocol": "openid-connect", "protocolMapper": kind, "config": config}


def _of_user(name: str, attribute: str, claim: str, label: str = "String", kind: str = "attribute") -> Json:
    config = {"user.attribute": attribute, "claim.name": claim, "jsonType.label": label, "userinfo.token.claim": "true"}
    return _mapper(name, f"oidc-usermodel-{kind}-mapper", _TOKENS | config)


def _of_session(name: str, note: str, claim: str, label: str = "String") -> Json:
    config = {"user.session.note": note, "claim.name": claim, "jsonType.label": label}
    return _mapper(name, "oidc-usersessionmodel-note-mapper", _TOKENS | config)


MAPPERS: dict[str, list[Json]] = {
    "basic": [
        _mapper("sub", "oidc-sub-mapper", {"introspection.token.claim": "true", "access.token.claim": "true"}),
        _of_session("auth_time", "AUTH_TIME", "auth_time", "long"),
    ],
    "profile": [
        _mapper("full name", "oidc-full-name-mapper", _TOKENS | {"userinfo.token.claim": "true"}),
        _of_user("username", "username", "preferred_username"),
        _of_user("given name", "firstName", "given_name"),
        _of_user("middle name", "middleName", "middle_name"),
        _of_user("family name", "lastName", "family_name"),
        _of_user("updated at", "updatedAt", "updated_at", "long"),
        *(
            _of_user(name, name, name)
            for name in ("nickname", "profile", "picture", "website", "gender", "birthdate", "zoneinfo", "locale")
        ),
    ],
    "email": [_of_user("email", "email", "email"), _of_user("email verified", "emailVerified", "email_verified", "boolean", "property")],
    "service_account": [
        _of_session("Client ID", "client_id", "client_id"),
        _of_session("Client Host", "clientHost", "clientHost"),
        _of_session("Client IP Address", "clientAddress", "clientAddress"),
    ],
}
"""The mappers of those scopes that the platform's tokens are made with."""

FLOWS: Json = {
    "browserFlow": "browser",
    "registrationFlow": "registration",
    "directGrantFlow": "direct grant",
    "resetCredentialsFlow": "reset credentials",
    "clientAuthenticationFlow": "clients",
    "dockerAuthenticationFlow": "docker auth",
    "firstBrokerLoginFlow": "first broker login",
}
"""The settings of a realm that say which authentication flow serves what, and the flow that does so by default."""


def default_role(realm: str) -> str:
    """The composite role that every new user of the realm gets."""
    return f"default-roles-{realm}"
