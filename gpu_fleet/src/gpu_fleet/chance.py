"""Chance that is the same in every run: it follows from the seed and from what it is about."""

from __future__ import annotations

import hashlib
from uuid import NAMESPACE_OID, UUID, uuid5


def fraction(seed: str, *about: object) -> float:
    """A number from 0 to below 1."""
    return int.from_bytes(_digest(seed, about)[:6]) / 2**48


def identifier(seed: str, *about: object) -> UUID:
    """A UUID of version 5 (RFC 9562, 5.5)."""
    return uuid5(NAMESPACE_OID, _text(seed, about))


def serial(seed: str, *about: object) -> str:
    """Thirteen digits, as a manufacturer prints them."""
    return f"{int.from_bytes(_digest(seed, about)[:8]) % 10**13:013d}"


def _digest(seed: str, about: tuple[object, ...]) -> bytes:
    return hashlib.sha256(_text(seed, about).encode()).digest()


def _text(seed: str, about: tuple[object, ...]) -> str:
    return "\0".join([seed, *map(str, about)])
