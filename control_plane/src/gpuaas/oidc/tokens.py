"""Checks of signed tokens: signature, issuer, audience and time.

Sources: RFC 7519 (claims), RFC 8725 (algorithm allow-list, explicit typing),
RFC 9068 (``at+jwt``).
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError

from gpuaas.oidc.provider import Provider, UnknownKeyError

ALGORITHMS = ("RS256", "ES256")
MAX_TOKEN_BYTES = 16 * 1024
_ACCESS_TOKEN_TYPES = ("at+jwt", "application/at+jwt")


class TokenError(Exception):
    """A token that is refused: ``code`` is stable, ``detail`` is for people and never quotes the token."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


async def verify(provider: Provider, token: str, audience: str, leeway: int) -> dict[str, Any]:
    """The claims of a good token.

    ``leeway`` is in seconds. Raises TokenError and ProviderUnavailableError.
    """
    header, unverified = _parse(token)
    # Before the signature: a stranger's token must not make us fetch keys, and
    # "wrong issuer" says more than "unknown key". It can only refuse.
    if unverified.get("iss") != provider.issuer:
        raise TokenError("token_issuer", "The token is from another issuer.")
    if header.get("alg") not in ALGORITHMS:
        raise TokenError("token_signature", f"The token is not signed with one of {', '.join(ALGORITHMS)}.")
    kid = header.get("kid")
    if not isinstance(kid, str):
        raise TokenError("token_signature", "The token names no key.")
    try:
        key = await provider.key(kid)
        payload = jws.deserialize_compact(token, key, algorithms=list(ALGORITHMS)).payload
    except UnknownKeyError:
        raise TokenError(
            "token_signature", "The token is signed with a key that the issuer does not publish."
        ) from None
    except (JoseError, ValueError, TypeError):
        raise TokenError("token_signature", "The token's signature is not valid.") from None
    claims: dict[str, Any] = json.loads(payload or b"")
    _check_audience(claims, audience)
    _check_times(claims, leeway)
    return claims


async def verify_access_token(provider: Provider, token: str, audience: str, leeway: int) -> dict[str, Any]:
    """``verify``, and the token is for access: by ``typ`` of its header (RFC 9068) or Keycloak's claim ``typ``.

    Raises TokenError and ProviderUnavailableError.
    """
    header, _claims = _parse(token)
    claims = await verify(provider, token, audience, leeway)
    declared = str(header.get("typ", "")).lower()
    if declared not in _ACCESS_TOKEN_TYPES and not (declared in ("", "jwt") and claims.get("typ") == "Bearer"):
        raise TokenError("token_malformed", "The token is not an access token.")
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise TokenError("token_malformed", "The token names no subject.")
    return claims


def _parse(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    malformed = TokenError("token_malformed", "The token is not a signed JSON Web Token.")
    if len(token) > MAX_TOKEN_BYTES or not token.isascii():
        raise malformed
    try:
        unverified = jws.extract_compact(token.encode())
        header, claims = unverified.headers(), json.loads(unverified.payload)
    except (JoseError, ValueError, TypeError, RecursionError):
        raise malformed from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise malformed
    return header, claims


def _check_audience(claims: dict[str, Any], audience: str) -> None:
    found = claims.get("aud")
    audiences: Sequence[Any] = found if isinstance(found, list) else [found]
    if audience not in audiences:
        raise TokenError("token_audience", "The token is for another audience.")


def _check_times(claims: dict[str, Any], leeway: int) -> None:
    now = time.time()
    expires = _time(claims, "exp")
    if expires is None:
        raise TokenError("token_malformed", "The token has no expiry.")
    if now >= expires + leeway:
        raise TokenError("token_expired", "The token has expired.")
    begins = _time(claims, "nbf")
    if begins is not None and now < begins - leeway:
        raise TokenError("token_not_yet_valid", "The token is not valid yet.")


def _time(claims: dict[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TokenError("token_malformed", f"The token's {name} is not a time.")
    return float(value)
