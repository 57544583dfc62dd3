# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: Apache-2.0
"""A real login: through the web console's own redirect, and as its client with PKCE up to an API call."""

from __future__ import annotations

from dataclasses import dataclass

import httpx
from ansible_collections.gpuaas.parity.plugins.module_utils._net.loopback import client as http_client
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.forms import describe
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.model import Context, Observation, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.oidc import bare, claims, walk
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.users import Login, access_token, credentials


@dataclass(frozen=True)
class OidcLogin:
    """``user`` logs in at ``web`` + ``login_path`` through Keycloak's form and sees the console with their name.

    Then the same user logs in as ``client_id`` with PKCE at ``redirect_uri``, whose token is from ``issuer``,
    carries ``audience``, and is accepted at ``api``.
    """

    web: str
    api: str
    issuer: str
    redirect_uri: str
    audience: str
    client_id: str = "gpuaas-web"
    client_secret: str = "web_client_secret"
    user: str = "alice"
    password: str = "user_alice_password"
    login_path: str = "/auth/login"

    def run(self, context: Context) -> Observation:
        wrong = self._web(context)
        if wrong:
            return failed("LOGIN_FAILED", wrong)
        login = Login(self.issuer, self.redirect_uri, self.client_id, self.client_secret, self.user, self.password)
        token = access_token(context, login)
        carried = claims(token)
        if carried.get("iss") != self.issuer:
            return failed(
                "ISSUER_MISMATCH", f"the token of {self.user} is from {carried.get('iss')!r}, not {self.issuer}"
            )
        audience = carried.get("aud")
        if self.audience not in (audience if isinstance(audience, list) else [audience]):
            return failed("LOGIN_FAILED", f"the token of {self.user} has audience {audience!r}, not {self.audience}")
        try:
            answer = context.http.get(self.api, headers={"Authorization": f"Bearer {token}"})
        except httpx.TransportError as error:
            return failed("HTTP_UNREACHABLE", f"{self.api}: {type(error).__name__}: {error}")
        if answer.status_code != 200:
            return failed("LOGIN_FAILED", f"{self.api} answers the token of {self.user} with {answer.status_code}")
        return passed(f"{self.user} logged in at {self.web}, and the API accepts the token")

    def _web(self, context: Context) -> str:
        who = credentials(context, self.user, self.password)
        with http_client(context.ca_file) as browser:
            page, reached = walk(browser, f"{self.web}{self.login_path}", who)
        text = describe(page.text, str(page.url))
        if page.status_code != 200 or not str(reached).startswith(f"{self.web}/"):
            return f"the login at {self.web} ended at {bare(reached)}: {page.status_code}, {text}"
        if self.user not in page.text:
            return f"{bare(reached)} does not show {self.user}: {text}"
        return ""
