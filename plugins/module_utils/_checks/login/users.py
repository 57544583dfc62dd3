# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The realm's users and clients as the checks use them: who they are stands in the contract, once."""

from __future__ import annotations

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Context
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.oidc import Client, Credentials, client_token, code_flow
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._net.loopback import client as http_client


def _lacks(what: str) -> ParityError:
    return ParityError("CONTRACT_NOT_RENDERED", f"the rendered contract has no {what}")


def _secret_of(context: Context, section: str, name: str, key: str) -> str:
    try:
        return context.secret(str(context.realm[section][name][key]))
    except (KeyError, TypeError):
        raise _lacks(f"{name} among the realm's {section}, or no {key} of it that has a value") from None


def issuer_of(context: Context) -> str:
    """The issuer of the realm: below the URL that its document says, as Keycloak names it.

    Raises ParityError ``CONTRACT_NOT_RENDERED`` where there is no such document.
    """
    realm = context.realm
    if not realm.get("realm") or not realm.get("url"):
        raise _lacks("realm with a URL")
    return f"{realm['url']}/realms/{realm['realm']}"


def web_client(context: Context, name: str) -> Client:
    """A client of the realm through which users log in, with the first of its redirect URIs.

    Raises ParityError ``CONTRACT_NOT_RENDERED`` when there is none of that name, or none of that make.
    """
    secret = _secret_of(context, "clients", name, "secret")
    redirects = context.realm["clients"][name].get("redirect_uris") or []
    if not redirects:
        raise _lacks(f"redirect URI of the client {name}")
    return Client(name, secret, str(redirects[0]))


def credentials(context: Context, user: str) -> Credentials:
    """A user of the realm with the password. Raises ParityError ``CONTRACT_NOT_RENDERED`` when there is none."""
    return Credentials(user, _secret_of(context, "users", user, "password"))


def user_token(context: Context, user: str, client: str) -> str:
    """An access token of a user who logs in through a client, by a real code flow, shared by all checks of a run.

    Raises what ``code_flow`` raises, and ParityError ``CONTRACT_NOT_RENDERED``.
    """

    def fetch() -> tuple[str, float]:
        web = web_client(context, client)
        # Its own client: a login has cookies, and they are nobody else's.
        with http_client(context.ca_file) as http:
            tokens = code_flow(http, issuer_of(context), web, credentials(context, user))
        return str(tokens["access_token"]), float(tokens.get("expires_in", 0))

    return context.tokens.get(user, client, fetch)


def service_token(context: Context, client: str) -> str:
    """A fresh access token of a client of the realm, for itself.

    Raises what ``client_token`` raises, and ParityError ``CONTRACT_NOT_RENDERED``.
    """
    return client_token(context.http, issuer_of(context), Client(client, _secret_of(context, "clients", client, "secret")))


def bearer(token: str) -> dict[str, str]:
    """The header that carries an access token (RFC 6750 section 2.1)."""
    return {"Authorization": f"Bearer {token}"}
