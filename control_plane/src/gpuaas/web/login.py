"""The authorization code flow with PKCE, from the relying party's side.

Sources: OpenID Connect Core 1.0 (3.1), RFC 7636 (PKCE), RFC 9207 (issuer in
the response), RFC 9700 (state bound to the browser, single use), RFC 6749
(5.2: what a refusal means).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import logging
import secrets
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode

import httpx
from redis.asyncio import Redis

from gpuaas.oidc import tokens
from gpuaas.oidc.provider import Provider, ProviderUnavailableError
from gpuaas.settings import WebSettings
from gpuaas.web.attempts import ATTEMPT_SECONDS, Attempt
from gpuaas.web.sessions import Session, random_id

LEEWAY_SECONDS = 5
TOKEN_SECONDS = 6.0
_log = logging.getLogger(__name__)


class LoginError(Exception):
    """A log-in that the identity provider or our checks refused."""


class RenewalRefusedError(Exception):
    """The identity provider's session is over."""


class _GrantError(LoginError):
    """The identity provider says ``invalid_grant``: the code or refresh token is used, revoked or expired."""


@dataclass(frozen=True, slots=True)
class Begun:
    """Where to send the browser, and what to keep until it is back."""

    url: str
    state: str
    attempt: Attempt


class Login:
    """Begins and ends log-ins, renews tokens, logs out."""

    def __init__(
        self, settings: WebSettings, client_secret: str, provider: Provider, http: httpx.AsyncClient, redis: Redis
    ) -> None:
        self._client_id = settings.oidc_client_id
        self._redirect_uri = f"{settings.web_url}/auth/callback"
        self._provider = provider
        self._http = http
        self._redis = redis
        # RFC 6749, section 2.3.1: form-encoded before it becomes basic authentication.
        self._authentication = httpx.BasicAuth(quote_plus(self._client_id), quote_plus(client_secret))

    async def begin(self) -> Begun:
        """A new log-in. Raises ProviderUnavailableError."""
        metadata = await self._provider.metadata()
        state, attempt = random_id(), Attempt(random_id(), secrets.token_urlsafe(48))
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._redirect_uri,
            "scope": "openid",
            "state": state,
            "nonce": attempt.nonce,
            "code_challenge": _challenge(attempt.verifier),
            "code_challenge_method": "S256",
        }
        return Begun(f"{metadata.authorization_endpoint}?{urlencode(query)}", state, attempt)

    async def claim(self, state: str) -> bool:
        """Whether this is the first time that ``state`` comes back. Raises RedisError."""
        key = f"login:{hashlib.sha256(state.encode()).hexdigest()}"
        return bool(await self._redis.set(key, "used", nx=True, ex=ATTEMPT_SECONDS))

    async def finish(self, attempt: Attempt, code: str, issuer: str | None) -> Session:
        """Exchange the code for a session. Raises LoginError and ProviderUnavailableError."""
        metadata = await self._provider.metadata()
        if (issuer is None and metadata.names_itself_in_responses) or issuer not in (None, self._provider.issuer):
            raise LoginError("the answer is from another issuer")
        answer = await self._token(
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self._redirect_uri,
                "code_verifier": attempt.verifier,
            }
        )
        claims = await self._identity(answer)
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), attempt.nonce.encode()):
            raise LoginError("the identity token is for another log-in")
        return Session(
            access_token=_text(answer, "access_token"),
            refresh_token=answer.get("refresh_token"),
            id_token=_text(answer, "id_token"),
            expires_at=_expiry(answer),
            subject=str(claims["sub"]),
            username=str(claims.get("preferred_username") or claims.get("name") or claims.get("sub")),
            csrf_token=random_id(),
        )

    async def renew(self, session: Session) -> None:
        """Give ``session`` a new access token.

        Raises RenewalRefusedError when the provider's session is over, and
        ProviderUnavailableError for whatever else it answers.
        """
        if not session.refresh_token:
            raise RenewalRefusedError("there is no refresh token")
        try:
            answer = await self._token({"grant_type": "refresh_token", "refresh_token": session.refresh_token})
            access_token = _text(answer, "access_token")
        except _GrantError as error:
            raise RenewalRefusedError(str(error)) from None
        except LoginError as error:
            raise ProviderUnavailableError(str(error)) from None
        session.access_token = access_token
        session.refresh_token = answer.get("refresh_token", session.refresh_token)
        session.id_token = answer.get("id_token", session.id_token)
        session.expires_at = _expiry(answer)

    async def end(self, session: Session) -> None:
        """End the provider's own session, from here: no token is in an address. Raises ProviderUnavailableError."""
        endpoint = (await self._provider.metadata()).end_session_endpoint
        if endpoint is None:
            return
        form = (
            {"refresh_token": session.refresh_token} if session.refresh_token else {"id_token_hint": session.id_token}
        )
        try:
            async with asyncio.timeout(TOKEN_SECONDS):
                response = await self._http.post(endpoint, data=form, auth=self._authentication)
        except (httpx.HTTPError, TimeoutError) as error:
            raise ProviderUnavailableError(f"end of session: {type(error).__name__}") from None
        if response.status_code >= 500:
            raise ProviderUnavailableError(f"end of session answers {response.status_code}")
        if response.is_error:
            _log.info("the provider's session was over already", extra={"fields": {"status": response.status_code}})

    async def _identity(self, answer: dict[str, Any]) -> dict[str, Any]:
        try:
            claims = await tokens.verify(self._provider, _text(answer, "id_token"), self._client_id, LEEWAY_SECONDS)
        except tokens.TokenError as error:
            raise LoginError(f"the identity token is refused: {error.code}") from None
        # OpenID Connect Core, 3.1.3.7: with several audiences, the authorized party must be us.
        if claims.get("azp", self._client_id) != self._client_id:
            raise LoginError("the identity token is for another client")
        return claims

    async def _token(self, form: dict[str, str]) -> dict[str, Any]:
        endpoint = (await self._provider.metadata()).token_endpoint
        try:
            async with asyncio.timeout(TOKEN_SECONDS):
                response = await self._http.post(endpoint, data=form, auth=self._authentication)
            answer = response.json()
        except (httpx.HTTPError, TimeoutError, ValueError) as error:
            raise ProviderUnavailableError(f"token endpoint: {type(error).__name__}") from None
        if response.status_code >= 500 or not isinstance(answer, dict):
            raise ProviderUnavailableError(f"token endpoint answers {response.status_code}")
        if response.status_code != 200:
            code = answer.get("error", response.status_code)
            raise (_GrantError if code == "invalid_grant" else LoginError)(f"token endpoint refuses: {code}")
        return answer


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _text(answer: dict[str, Any], name: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise LoginError(f"the token answer lacks {name}")
    return value


def _expiry(answer: dict[str, Any]) -> float:
    seconds = answer.get("expires_in")
    return time.time() + (seconds if isinstance(seconds, int | float) else 0)
