# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real login: through the web console's own redirect, and as its client with PKCE up to an API call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import HERE, Context, Observation, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.forms import describe
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.oidc import bare, claims, walk
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.users import bearer, credentials, issuer_of, user_token
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import httpx
from ansible_collections.gpuaas.parity.plugins.module_utils._net.loopback import client as http_client


@dataclass(frozen=True)
class OidcLogin:
    """``user`` logs in at ``web`` + ``login_path`` through the identity provider's form and sees the console with their name.

    Then the same user logs in as ``client``, the console's own, with PKCE and its redirect URI; that token is from
    the one issuer, carries ``audience``, and is accepted at ``api``.
    """

    targets: ClassVar[frozenset[str]] = HERE
    web: str
    login_path: str
    api: str
    audience: str
    user: str
    client: str

    def run(self, context: Context) -> Observation:
        wrong = self._web(context)
        if wrong:
            return failed("LOGIN_FAILED", wrong)
        issuer, token = issuer_of(context), user_token(context, self.user, self.client)
        carried = claims(token)
        if carried.get("iss") != issuer:
            return failed("ISSUER_MISMATCH", f"the token of {self.user} is from {carried.get('iss')!r}, not {issuer}")
        audience = carried.get("aud")
        if self.audience not in (audience if isinstance(audience, list) else [audience]):
            return failed("LOGIN_FAILED", f"the token of {self.user} has audience {audience!r}, not {self.audience}")
        try:
            answer = context.http.get(self.api, headers=bearer(token))
        except httpx.TransportError as error:
            return failed("HTTP_UNREACHABLE", f"{self.api}: {type(error).__name__}: {error}")
        if answer.status_code != 200:
            return failed("LOGIN_FAILED", f"{self.api} answers the token of {self.user} with {answer.status_code}")
        return passed(f"{self.user} logged in at {self.web}, and the API accepts the token")

    def _web(self, context: Context) -> str:
        who = credentials(context, self.user)
        with context.tokens.alone(self.user), http_client(context.ca_file) as browser:
            page, reached = walk(browser, f"{self.web}{self.login_path}", who)
        text = describe(page.text, str(page.url))
        if page.status_code != 200 or not str(reached).startswith(f"{self.web}/"):
            return f"the login at {self.web} ended at {bare(reached)}: {page.status_code}, {text}"
        if self.user not in page.text:
            return f"{bare(reached)} does not show {self.user}: {text}"
        return ""
