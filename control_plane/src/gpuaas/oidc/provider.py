"""The identity provider, found by discovery when it is first needed.

Sources: OpenID Connect Discovery 1.0 (section 4.3: the document's issuer must
be exactly the one that was asked for), RFC 7517 (key sets).
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import Key, import_key

# What is older is asked for again, beside the requests, which go on with what there is.
FRESH_SECONDS = 300.0
# Keys of a provider that has not answered for so long may have been withdrawn.
TRUSTED_SECONDS = 86400.0
FETCH_SECONDS = 3.0
# Between two fetches, whatever asks for them: an unknown key id may be a rotation, or a forger's.
INTERVAL_SECONDS = 1.0
# A key id that was asked for and is not published is not asked for again for this long.
UNKNOWN_SECONDS = 60.0
MAX_UNKNOWN = 1024
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


@dataclass(frozen=True, slots=True)
class _Fetched[T]:
    """What was fetched, by a fetch that began at ``asked``."""

    value: T
    asked: float


class _Document[T]:
    """One document of the provider: fetched once for all who wait, and kept while the provider is away."""

    def __init__(self, fetch: Callable[[], Awaitable[T]], clock: Callable[[], float]) -> None:
        self._fetch = fetch
        self._clock = clock
        self._held: _Fetched[T] | None = None
        self._next = float("-inf")
        self._failure: ProviderUnavailableError | None = None
        self._under_way: asyncio.Task[None] | None = None

    def held(self) -> _Fetched[T] | None:
        """What is there now; when it is not fresh, newer is on its way. Never waits."""
        now = self._clock()
        if self._held is None or now - self._held.asked >= TRUSTED_SECONDS:
            return None
        if now - self._held.asked >= FRESH_SECONDS and now >= self._next:
            self._begin()
        return self._held

    async def newer(self, than: float) -> _Fetched[T]:
        """What was asked for after ``than``. Raises ProviderUnavailableError.

        Waits for a fetch that is under way, else for the time of the next one.
        """
        if self._failure and self._clock() < self._next:
            raise self._failure
        while self._held is None or self._held.asked <= than:
            if self._under_way is None:
                self._begin()
            assert self._under_way
            await asyncio.shield(self._under_way)
            if self._failure:
                raise self._failure
        return self._held

    def _begin(self) -> None:
        if self._under_way is None:
            self._under_way = asyncio.create_task(self._run())

    async def _run(self) -> None:
        try:
            await asyncio.sleep(max(0.0, self._next - self._clock()))
            asked = self._clock()
            try:
                async with asyncio.timeout(FETCH_SECONDS):
                    value = await self._fetch()
            except TimeoutError:
                self._failure = ProviderUnavailableError(f"no answer within {FETCH_SECONDS:g} s")
            except ProviderUnavailableError as error:
                self._failure = error
            else:
                self._failure, self._held = None, _Fetched(value, asked)
        finally:
            self._next = self._clock() + INTERVAL_SECONDS
            self._under_way = None


class Provider:
    """Discovery document and signing keys of one issuer.

    What is held is served without waiting, however the provider does, and renewed
    beside the requests. Only a key id that is not held waits, and all who do wait
    for one fetch.
    """

    def __init__(self, issuer: str, http: httpx.AsyncClient, clock: Callable[[], float] = time.monotonic) -> None:
        self.issuer = issuer
        self._http = http
        self._clock = clock
        self._metadata = _Document(self._fetch_metadata, clock)
        self._keys = _Document(self._fetch_keys, clock)
        self._unknown: OrderedDict[str, float] = OrderedDict()

    async def metadata(self) -> Metadata:
        """The discovery document. Raises ProviderUnavailableError."""
        held = self._metadata.held() or await self._metadata.newer(self._clock() - TRUSTED_SECONDS)
        return held.value

    async def key(self, kid: str) -> Key:
        """The signing key ``kid``. Raises UnknownKeyError, ProviderUnavailableError."""
        held = self._keys.held()
        if held and kid in held.value:
            return held.value[kid]
        now = self._clock()
        if self._unknown.get(kid, float("-inf")) > now:
            raise UnknownKeyError
        found = await self._keys.newer(now if held else now - TRUSTED_SECONDS)
        if kid in found.value:
            return found.value[kid]
        self._unknown[kid] = self._clock() + UNKNOWN_SECONDS
        if len(self._unknown) > MAX_UNKNOWN:
            self._unknown.popitem(last=False)
        raise UnknownKeyError

    async def _fetch_keys(self) -> dict[str, Key]:
        return _signing_keys(await self._get((await self.metadata()).jwks_uri))

    async def _fetch_metadata(self) -> Metadata:
        return _metadata(await self._get(f"{self.issuer}/.well-known/openid-configuration"), self.issuer)

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
