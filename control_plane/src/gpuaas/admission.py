"""Who is let in: bounds that hold before a token is looked at, a body read or a dependency asked.

A source is an address. What it asks without a good token or session is counted
against it, a refused one ten times. Somebody whom a request of the last minutes
proved is let in whatever others at the same address do: behind a company's
gateway, or on a developer's machine, all have one address.

Counts are the process's own: they cost nothing, and need nobody.
"""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import Scope

MAX_REQUESTS = 48  # below the connections of the Redis client
MAX_STRANGERS = MAX_REQUESTS // 2
REFUSED_COST = 10
RECOGNISED_SECONDS = 300.0
MAX_REMEMBERED = 4096
REPORT_SECONDS = 10.0
WINDOW_SECONDS = 60.0

type Network = ipaddress.IPv4Network | ipaddress.IPv6Network

source_address: ContextVar[str] = ContextVar("source_address", default="")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is given instead of the application's; ``retry_after`` is in seconds."""

    status: int
    code: str
    detail: str
    retry_after: int


class Sources:
    """What each source has asked, by the generic cell rate algorithm (ITU-T I.371).

    Half of ``per_minute`` may come at once and as much again while a minute
    passes, so no minute, wherever it begins, has more than ``per_minute``.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = 2 * WINDOW_SECONDS / per_minute
        self._clock = clock
        self._busy_until: OrderedDict[str, float] = OrderedDict()

    def wait(self, source: str) -> float:
        """Seconds until ``source`` may ask again; 0 when it may."""
        return max(0.0, self._busy_until.get(source, 0.0) + self._interval - WINDOW_SECONDS - self._clock())

    def charge(self, source: str, cost: int = 1) -> None:
        """Count ``cost`` requests; a negative one gives back."""
        now = self._clock()
        self._busy_until[source] = max(self._busy_until.pop(source, now), now) + cost * self._interval
        if len(self._busy_until) > MAX_REMEMBERED:
            self._busy_until.popitem(last=False)


class Recognised:
    """Digests of tokens and sessions that were good a moment ago."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: OrderedDict[bytes, float] = OrderedDict()

    def __contains__(self, credential: str) -> bool:
        return self._until.get(_digest(credential), 0.0) > self._clock()

    def add(self, credential: str) -> None:
        """It proved to be good."""
        digest = _digest(credential)
        self._until.pop(digest, None)
        self._until[digest] = self._clock() + RECOGNISED_SECONDS
        if len(self._until) > MAX_REMEMBERED:
            self._until.popitem(last=False)

    def discard(self, credential: str) -> None:
        """It is good no more."""
        self._until.pop(_digest(credential), None)


class Admission:
    """Decides for each request whether it is let in, and learns from its answer."""

    def __init__(
        self,
        per_minute: int,
        trusted: Sequence[Network],
        credential: Callable[[Headers], str | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``trusted`` are the networks of proxies; ``credential`` finds the token or session that a request shows."""
        self._sources = Sources(per_minute, clock)
        self._recognised = Recognised(clock)
        self._trusted = trusted
        self._credential = credential
        self._requests = 0
        self._strangers = 0
        self._refused = 0
        self._clock = clock
        self._reported = float("-inf")

    def begin(self, scope: Scope) -> Visit | Refusal:
        """Let a request in, or say why not. Every visit must be ended."""
        source = source_of(scope, self._trusted)
        source_address.set(source)
        credential = self._credential(Headers(scope=scope))
        known = credential is not None and credential in self._recognised
        refusal = self._refusal(group_of(source), known)
        if refusal:
            self._report(refusal)
            return refusal
        if not known:
            self._sources.charge(group_of(source))
        self._requests += 1
        self._strangers += not known
        return Visit(group_of(source), credential, known)

    def end(self, visit: Visit, status: int, proved: bool) -> None:
        """The request was answered; ``proved`` says that its token or session was found to be good."""
        self._requests -= 1
        self._strangers -= not visit.known
        if status == 401:
            self._sources.charge(visit.source, REFUSED_COST - (not visit.known))
            if visit.credential:
                self._recognised.discard(visit.credential)
        elif proved and visit.credential:
            self._recognised.add(visit.credential)
            if not visit.known:
                self._sources.charge(visit.source, -1)

    def _refusal(self, source: str, known: bool) -> Refusal | None:
        if not known and (wait := self._sources.wait(source)):
            return Refusal(429, "rate_limited", "Too many requests from this address.", math.ceil(wait))
        if self._requests >= MAX_REQUESTS or (not known and self._strangers >= MAX_STRANGERS):
            return Refusal(503, "unavailable", "Too many requests at once.", 1)
        return None

    def _report(self, refusal: Refusal) -> None:
        """A line now and then: one for each request would be what a flood is out for."""
        self._refused += 1
        if self._clock() - self._reported >= REPORT_SECONDS:
            _log.warning("requests refused", extra={"fields": {"refused": self._refused, "last": refusal.code}})
            self._reported, self._refused = self._clock(), 0


@dataclass(frozen=True, slots=True)
class Visit:
    """A request that was let in."""

    source: str
    credential: str | None
    known: bool


def source_of(scope: Scope, trusted: Sequence[Network]) -> str:
    """The address that a request is from.

    A trusted proxy's word counts, and of it only the last address, which is the
    one that it saw itself; all before it is the client's to write.
    """
    peer = str((scope.get("client") or ("",))[0])
    if _within(peer, trusted):
        forwarded = ",".join(Headers(scope=scope).getlist("x-forwarded-for"))
        seen = forwarded.rpartition(",")[2].strip()
        if _address(seen):
            return seen
    return peer


def group_of(source: str) -> str:
    """What is counted as one source: an IPv6 user has a whole /64 (RFC 6177)."""
    address = _address(source)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return source


def _within(peer: str, networks: Sequence[Network]) -> bool:
    address = _address(peer)
    return address is not None and any(address in network for network in networks)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, ipaddress.IPv6Address) else address


def _digest(credential: str) -> bytes:
    return hashlib.sha256(credential.encode()).digest()
