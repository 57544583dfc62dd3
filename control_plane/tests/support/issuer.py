"""An OpenID provider of a page: real signatures and real PKCE, no log-in form."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote_plus, urlencode

from joserfc import jwt
from joserfc.jwk import ECKey, Key, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from support.ports import free_port
from support.serving import served

CLIENT_ID = "gpuaas-web"
CLIENT_SECRET = "client secret: with + and %"
AUDIENCE = "gpuaas-api"


class Issuer:
    """Signs tokens; what it counts and what may be changed is public."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.rsa = RSAKey.generate_key(2048, {"kid": "rsa-1", "use": "sig", "alg": "RS256"})
        self.ec = ECKey.generate_key("P-256", {"kid": "ec-1", "use": "sig", "alg": "ES256"})
        self.encryption = RSAKey.generate_key(2048, {"kid": "enc-1", "use": "enc", "alg": "RSA-OAEP"})
        self.published: list[Key] = [self.rsa, self.ec, self.encryption]
        self.user: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.refresh_tokens: set[str] = set()
        self.jwks_requests = 0
        self.token_requests: list[dict[str, str]] = []
        self.logouts: list[dict[str, str]] = []
        self.reset()

    def reset(self) -> None:
        """As new."""
        self.published = [self.rsa, self.ec, self.encryption]
        self.user = {"roles": ["operator"], "groups": ["/projects/alpha"], "preferred_username": "alice"}
        self.access_seconds = 300
        self.document_issuer = self.url
        self.down = False
        # Renewed tokens are on their way; or lost on it, once; or every token request is refused with this error.
        self.held = False
        self.loses = False
        self.refuses = ""
        self.id_token_claims: dict[str, Any] = {}
        # What a token answer has otherwise, and the status with which token and log-out requests fail.
        self.token_answer: dict[str, Any] = {}
        self.fails = 0
        self.jwks_requests = 0
        self.token_requests.clear()
        self.refresh_tokens.clear()
        self.logouts.clear()

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Claims of a good access token, as Keycloak writes them; None removes one."""
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": [AUDIENCE, "account"],
            "sub": "user-alice",
            "jti": secrets.token_hex(8),
            "typ": "Bearer",
            "iat": now,
            "exp": now + 300,
            "azp": CLIENT_ID,
            **self.user,
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, header: dict[str, str | None] | None = None, key: Key | None = None, **changes: Any) -> str:
        """A signed access token."""
        signer = key or self.rsa
        alg = "ES256" if signer.key_type == "EC" else "RS256"
        full = {"typ": "JWT", "alg": alg, "kid": signer.kid, **(header or {})}
        written = {name: value for name, value in full.items() if value is not None}
        return jwt.encode(written, self.claims(**changes), signer)

    def _answer(self, nonce: str | None) -> dict[str, Any]:
        now = int(time.time())
        identity = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "azp": CLIENT_ID,
            "sub": "user-alice",
            "typ": "ID",
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            "preferred_username": self.user["preferred_username"],
            **self.id_token_claims,
        }
        refresh = secrets.token_hex(8)
        self.refresh_tokens.add(refresh)
        return {
            "access_token": self.token(exp=now + self.access_seconds),
            "expires_in": self.access_seconds,
            "refresh_token": refresh,
            "token_type": "Bearer",
            "id_token": jwt.encode({"alg": "RS256", "kid": self.rsa.kid}, identity, self.rsa),
            **self.token_answer,
        }

    def app(self) -> Starlette:
        """The provider's endpoints."""
        return Starlette(
            routes=[
                Route("/realms/gpuaas/.well-known/openid-configuration", self._discovery),
                Route("/realms/gpuaas/jwks", self._jwks),
                Route("/realms/gpuaas/authorize", self._authorize),
                Route("/realms/gpuaas/token", self._token, methods=["POST"]),
                Route("/realms/gpuaas/logout", self._logout, methods=["POST"]),
            ]
        )

    async def _discovery(self, _request: Request) -> Response:
        if self.down:
            return Response(status_code=503)
        return JSONResponse(
            {
                "issuer": self.document_issuer,
                "jwks_uri": f"{self.url}/jwks",
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "end_session_endpoint": f"{self.url}/logout",
                "authorization_response_iss_parameter_supported": True,
            }
        )

    async def _jwks(self, _request: Request) -> Response:
        self.jwks_requests += 1
        if self.down:
            return Response(status_code=503)
        keys = [key.as_dict(private=False) for key in self.published]
        return JSONResponse({"keys": [*keys, {"kty": "AKP", "kid": "future"}]})

    async def _authorize(self, request: Request) -> Response:
        query = dict(request.query_params)
        code = secrets.token_hex(8)
        self.codes[code] = query
        answer = {"code": code, "state": query["state"], "iss": self.url}
        return RedirectResponse(f"{query['redirect_uri']}?{urlencode(answer)}", 303)

    async def _token(self, request: Request) -> Response:
        if self.down:
            return Response(status_code=503)
        form = {name: str(value) for name, value in (await request.form()).items()}
        self.token_requests.append(form)
        if not _is_client(request):
            return JSONResponse({"error": "invalid_client"}, 401)
        if self.fails:
            return JSONResponse({"error": "unknown_error"}, self.fails)
        if self.refuses:
            return JSONResponse({"error": self.refuses}, 400)
        if form["grant_type"] == "refresh_token":
            if form["refresh_token"] not in self.refresh_tokens:
                return JSONResponse({"error": "invalid_grant"}, 400)
            answer = self._answer(None)
            if self.loses:
                # The realm lets it be used once more (realm.yml, refresh_reuse).
                self.loses = False
                return Response(status_code=502)
            # For one use only, as a strict realm has it.
            self.refresh_tokens.remove(form["refresh_token"])
            while self.held:
                await asyncio.sleep(0.01)
            return JSONResponse(answer)
        asked = self.codes.pop(form["code"], None)
        if asked is None or form["redirect_uri"] != asked["redirect_uri"] or not _proves(form, asked):
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse(self._answer(asked["nonce"]))

    async def _logout(self, request: Request) -> Response:
        if self.down:
            return Response(status_code=503)
        form = {name: str(value) for name, value in (await request.form()).items()}
        self.logouts.append({**form, **request.query_params})
        if self.fails:
            return JSONResponse({"error": "unknown_error"}, self.fails)
        if not _is_client(request) or form["refresh_token"] not in self.refresh_tokens:
            return JSONResponse({"error": "invalid_grant"}, 400)
        self.refresh_tokens.remove(form["refresh_token"])
        return Response(status_code=204)


def _is_client(request: Request) -> bool:
    basic = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
    return tuple(map(unquote_plus, basic.split(":", 1))) == (CLIENT_ID, CLIENT_SECRET)


def _proves(form: dict[str, str], asked: dict[str, str]) -> bool:
    digest = hashlib.sha256(form["code_verifier"].encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return asked["code_challenge_method"] == "S256" and challenge == asked["code_challenge"]


@contextmanager
def running() -> Iterator[Issuer]:
    """The issuer behind HTTP."""
    port = free_port()
    issuer = Issuer(f"http://127.0.0.1:{port}/realms/gpuaas")
    with served(issuer.app(), port):
        yield issuer
