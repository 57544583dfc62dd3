# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: Apache-2.0
"""Demo users as the checks use them."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.gpuaas.parity.plugins.module_utils._net.loopback import client as http_client
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.model import Context
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.oidc import Client, Credentials, code_flow


@dataclass(frozen=True)
class Login:
    """Who logs in, and through which client; passwords and secrets are names in secrets.yml."""

    issuer: str
    redirect_uri: str
    client_id: str
    client_secret: str
    user: str
    password: str


def credentials(context: Context, user: str, password: str) -> Credentials:
    """A user with the password that secrets.yml holds under a name. KeyError when it holds none."""
    return Credentials(user, context.secret(password))


def access_token(context: Context, login: Login) -> str:
    """An access token of a user, by a real code flow, shared by all checks of a run.

    Raises what ``code_flow`` raises.
    """

    def fetch() -> tuple[str, float]:
        client = Client(login.client_id, context.secret(login.client_secret), login.redirect_uri)
        # Its own client: a login has cookies, and they are nobody else's.
        with http_client(context.ca_file) as http:
            tokens = code_flow(http, login.issuer, client, credentials(context, login.user, login.password))
        return str(tokens["access_token"]), float(tokens.get("expires_in", 0))

    return context.tokens.get(f"{login.client_id}/{login.user}", fetch)
