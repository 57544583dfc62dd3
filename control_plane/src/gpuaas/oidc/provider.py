"""The identity provider, found by discovery when it is first needed.

Sources: OpenID Connect Discovery 1.0 (section 4.3: the document's issuer must
be exactly the one that was asked for), RFC 7517 (key sets).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import Key, import_key

FRESH_SECONDS = 3600.0
# An unknown key id may be a rotation, or a forger's: it costs at most one fetch in this time.
REFETCH_SECONDS = 5.0
# After a failed fetch, nobody asks again for this long.
FAILURE_SECONDS = 1.0
SIGNING_KEY_TYPES = ("RSA", "EC")


class ProviderUnavailableError(Exception):
    """The identity provider does not answer, or not as its issuer URL promises."""


class UnknownKeyError(Exception):
    """The provider publishes no signing key of that id."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What is used of the discovery document."""

    jwks_uri: str
    authorization_endpoint: str
    token_endpoint: str
    end_session_endpoint: str | None
    names_itself_in_responses: bool


class Provider:
    """Discovery document and signing keys of one issuer, cached.

    Stale data is preferred to none while the provider is away; a first fetch
    that fails raises ProviderUnavailableError.
    """

    def __init__(self, issuer: str, http: httpx.AsyncClient, clock: Callable[[], float] = time.monotonic) -> None:
        self.issuer = issuer
        self._http = http
        self._clock = clock
        self._lock = asyncio.Lock()
        self._metadata: Metadata | None = None
        self._metadata_until = 0.0
        self._keys: dict[str, Key] = {}
        self._keys_until = 0.0
        self._next_keys_fetch = 0.0
        self._failure: ProviderUnavailableError | None = None

    async def metadata(self) -> Metadata:
        """The discovery document. Raises ProviderUnavailableError."""
        async with self._lock:
            return await self._current_metadata()

    async def key(self, kid: str) -> Key:
        """The signing key ``kid``. Raises UnknownKeyError, ProviderUnavailableError."""
        known = self._keys.get(kid)
        if known and self._clock() < self._keys_until:
            return known
        async with self._lock:
            known = self._keys.get(kid)
            if known and self._clock() < self._keys_until:
                return known
            if self._clock() >= self._next_keys_fetch:
                await self._fetch_keys()
            if found := self._keys.get(kid):
                return found
            if self._failure:
                raise self._failure
            raise UnknownKeyError

    async def _fetch_keys(self) -> None:
        try:
            metadata = await self._current_metadata()
            document = await self._get(metadata.jwks_uri)
            self._keys = _signing_keys(document)
        except ProviderUnavailableError as error:
            self._failure = error
            self._next_keys_fetch = self._clock() + FAILURE_SECONDS
            return
        self._failure = None
        self._keys_until = self._clock() + FRESH_SECONDS
        self._next_keys_fetch = self._clock() + REFETCH_SECONDS

    async def _current_metadata(self) -> Metadata:
        if self._metadata and self._clock() < self._metadata_until:
            return self._metadata
        try:
            document = await self._get(f"{self.issuer}/.well-known/openid-configuration")
            self._metadata = _metadata(document, self.issuer)
        except ProviderUnavailableError:
            if self._metadata is None:
                raise
            self._metadata_until = self._clock() + FAILURE_SECONDS
            return self._metadata
        self._metadata_until = self._clock() + FRESH_SECONDS
        return self._metadata

    async def _get(self, url: str) -> dict[str, Any]:
        try:
            response = await self._http.get(url, headers={"Accept": "application/json"})
            response.raise_for_status()
            document = response.json()
        except httpx.HTTPStatusError as error:
            raise ProviderUnavailableError(f"{url} answers {error.response.status_code}") from None
        except (httpx.HTTPError, ValueError) as error:
            raise ProviderUnavailableError(f"{url}: {type(error).__name__}: {error}") from None
        if not isinstance(document, dict):
            raise ProviderUnavailableError(f"{url} is no JSON object")
        return document


def _metadata(document: dict[str, Any], issuer: str) -> Metadata:
    if document.get("issuer") != issuer:
        raise ProviderUnavailableError("the discovery document names another issuer than GPUAAS_OIDC_ISSUER")
    required = ("jwks_uri", "authorization_endpoint", "token_endpoint")
    if missing := [name for name in required if not isinstance(document.get(name), str)]:
        raise ProviderUnavailableError(f"the discovery document lacks {', '.join(missing)}")
    end_session = document.get("end_session_endpoint")
    return Metadata(
        jwks_uri=document["jwks_uri"],
        authorization_endpoint=document["authorization_endpoint"],
        token_endpoint=document["token_endpoint"],
        end_session_endpoint=end_session if isinstance(end_session, str) else None,
        names_itself_in_responses=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _signing_keys(document: dict[str, Any]) -> dict[str, Key]:
    """Keys that may sign, by id; what we cannot use is passed over (RFC 7517, section 5)."""
    keys: dict[str, Key] = {}
    entries = document.get("keys")
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict) or entry.get("kty") not in SIGNING_KEY_TYPES:
            continue
        kid = entry.get("kid")
        if not isinstance(kid, str) or entry.get("use", "sig") != "sig":
            continue
        try:
            keys[kid] = import_key(entry)
        except (JoseError, ValueError, TypeError):
            continue
    if not keys:
        raise ProviderUnavailableError("the key set holds no signing key")
    return keys
