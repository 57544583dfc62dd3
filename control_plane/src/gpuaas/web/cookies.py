"""Signed cookies with the ``__Host-`` prefix: this host, HTTPS, every path (RFC 6265bis)."""

from __future__ import annotations

import hashlib

from itsdangerous import BadSignature, Signer
from starlette.requests import HTTPConnection
from starlette.responses import Response


class SignedCookie:
    """One cookie; a value that we did not sign does not exist."""

    def __init__(self, name: str, key: bytes, seconds: int) -> None:
        self.name = name
        self._seconds = seconds
        self._signer = Signer(key, salt=f"gpuaas.cookie.{name}", key_derivation="hmac", digest_method=hashlib.sha256)

    def read(self, request: HTTPConnection) -> str | None:
        """The value, when its signature is ours."""
        try:
            return self._signer.unsign(request.cookies.get(self.name, "")).decode()
        except (BadSignature, UnicodeDecodeError):
            return None

    def write(self, response: Response, value: str) -> None:
        """Set it; Lax, because the identity provider sends the browser back from another site."""
        response.set_cookie(
            self.name,
            self._signer.sign(value).decode(),
            max_age=self._seconds,
            path="/",
            secure=True,
            httponly=True,
            samesite="lax",
        )

    def clear(self, response: Response) -> None:
        """Make the browser forget it."""
        response.delete_cookie(self.name, path="/", secure=True, httponly=True, samesite="lax")
