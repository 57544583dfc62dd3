# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API refuses what it must, and says why (RFC 6750 section 3, RFC 9457)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import EVERYWHERE, Context, Observation, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.oidc import claims
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.users import bearer, service_token
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import httpx

_POLL = 0.25


@dataclass(frozen=True)
class TokenRefused:
    """A call of ``url`` with a bad token is answered 401, ``WWW-Authenticate: Bearer`` and the problem code ``code``.

    ``case`` is ``missing`` (no token), ``audience`` (a valid token of ``client`` for somebody else) or ``expired``
    (a token of ``client``, right in all but age: the API is asked until it says so, at most ``within`` seconds,
    and must not have refused it for another cause before). Where the platform runs elsewhere no token can be had:
    there only ``missing`` holds.
    """

    targets: ClassVar[frozenset[str]] = EVERYWHERE
    url: str
    case: str
    code: str
    client: str = ""
    audience: str = ""
    within: float = 15

    def __post_init__(self) -> None:
        if self.case not in ("missing", "audience", "expired"):
            raise ValueError(f"case {self.case!r} is none of missing, audience, expired")
        if self.case != "missing" and not (self.client and self.audience):
            raise ValueError(f"case {self.case} needs client and audience")

    def run(self, context: Context) -> Observation:
        if self.case == "missing":
            return self._verdict(self._call(context, ""))
        token = service_token(context, self.client)
        carried = claims(token)
        audience = carried.get("aud") or []
        has = self.audience in (audience if isinstance(audience, list) else [audience])
        # A probe token of the wrong make would prove nothing.
        if has == (self.case == "audience"):
            return failed("TOKEN_NOT_REFUSED", f"the token of {self.client} has audience {audience!r}: it cannot test {self.case}")
        if self.case == "audience":
            return self._verdict(self._call(context, token))
        return self._expired(context, token)

    def _expired(self, context: Context, token: str) -> Observation:
        deadline = context.clock() + self.within
        while True:
            answer = self._call(context, token)
            if isinstance(answer, Observation) or answer.status_code == 401:
                return self._verdict(answer)
            if context.clock() >= deadline:
                return failed("TOKEN_NOT_REFUSED", f"{self.url} accepts a token of 1 s still after {self.within:g} s")
            context.sleep(_POLL)

    def _call(self, context: Context, token: str) -> httpx.Response | Observation:
        headers = bearer(token) if token else {}
        try:
            return context.http.get(self.url, headers=headers)
        except httpx.TransportError as error:
            return failed("HTTP_UNREACHABLE", f"{self.url}: {type(error).__name__}: {error}")

    def _verdict(self, answer: httpx.Response | Observation) -> Observation:
        if isinstance(answer, Observation):
            return answer
        if answer.status_code != 401:
            return failed("TOKEN_NOT_REFUSED", f"{self.url} answers {answer.status_code}, not 401, ({self.case} token)")
        if not answer.headers.get("www-authenticate", "").lower().startswith("bearer"):
            return failed("TOKEN_NOT_REFUSED", f"the refusal of a {self.case} token has no WWW-Authenticate: Bearer")
        try:
            code = answer.json().get("code")
        except (ValueError, AttributeError):
            code = None
        if code != self.code:
            return failed("TOKEN_NOT_REFUSED", f"a {self.case} token is refused as {code!r}, not {self.code}")
        return passed(f"401 {self.code}")
