# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The realm's users and clients as the checks use them: who they are stands in the contract, once."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Context
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.oidc import Client, Credentials, client_token, code_flow
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._net.loopback import client as http_client


def _secret_of(context: Context, section: str, name: str, key: str) -> str:
    try:
        return context.secret(str(context.realm[section][name][key]))
    except (KeyError, TypeError):
        raise ParityError("CONTRACT_NOT_RENDERED", f"the realm's {section} hold no {name} with a {key} that has a value") from None


@dataclass(frozen=True)
class Web:
    """The web console as an OIDC client: the only one through which users log in."""

    issuer: str
    client: Client

    @classmethod
    def of(cls, context: Context) -> Web:
        """Read from the contract. Raises ParityError ``CONTRACT_NOT_RENDERED`` when the realm lacks the client."""
        settings = context.service("web")["settings"]
        name = str(settings["GPUAAS_OIDC_CLIENT_ID"])
        redirect = f"{settings['GPUAAS_WEB_URL']}/auth/callback"
        return cls(str(settings["GPUAAS_OIDC_ISSUER"]), Client(name, _secret_of(context, "clients", name, "secret"), redirect))


def credentials(context: Context, user: str) -> Credentials:
    """A user of the realm with the password. Raises ParityError ``CONTRACT_NOT_RENDERED`` when there is none."""
    return Credentials(user, _secret_of(context, "users", user, "password"))


def user_token(context: Context, user: str) -> str:
    """An access token of a user, by a real code flow, shared by all checks of a run.

    Raises what ``code_flow`` raises.
    """

    def fetch() -> tuple[str, float]:
        web = Web.of(context)
        # Its own client: a login has cookies, and they are nobody else's.
        with http_client(context.ca_file) as http:
            tokens = code_flow(http, web.issuer, web.client, credentials(context, user))
        return str(tokens["access_token"]), float(tokens.get("expires_in", 0))

    return context.tokens.get(user, fetch)


def service_token(context: Context, client_id: str, issuer: str) -> str:
    """A fresh access token of a client of the realm, for itself. Raises what ``client_token`` raises."""
    return client_token(context.http, issuer, Client(client_id, _secret_of(context, "clients", client_id, "secret")))


def bearer(token: str) -> dict[str, str]:
    """The header that carries an access token (RFC 6750 section 2.1)."""
    return {"Authorization": f"Bearer {token}"}
