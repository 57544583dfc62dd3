"""Keys on P-256 (NIST FIPS 186-5, SP 800-186) as JWK (RFC 7517), known by their thumbprints (RFC 7638)."""

from __future__ import annotations

from typing import cast

from joserfc.jwk import ECKey

from gpuaas.encryption import strict
from gpuaas.encryption.refusal import Kind, refused

CURVE = "P-256"
_PUBLIC = {"crv", "kty", "x", "y"}
_BYTES = 32


def generate() -> ECKey:
    """A new private key, drawn by the library."""
    return ECKey.generate_key(CURVE)


def kid(key: ECKey) -> str:
    """Its name: the thumbprint of its public half."""
    return key.thumbprint()


def public(key: ECKey) -> dict[str, object]:
    """Its public half as a JWK, members in the order of their names."""
    jwk = cast(dict[str, object], key.as_dict(private=False))
    return {name: jwk[name] for name in sorted(_PUBLIC)}


def private(key: ECKey) -> dict[str, object]:
    """All of it as a JWK."""
    return {**public(key), "d": cast(dict[str, object], key.as_dict(private=True))["d"]}


def read_public(jwk: object, kind: Kind) -> ECKey:
    """A public key, of which nothing is taken that is not needed. The library refuses a point that is not on the curve.

    Raises RefusedError.
    """
    return _read(jwk, _PUBLIC, kind)


def read_private(jwk: object, kind: Kind) -> ECKey:
    """A private key, of which the halves belong together. Raises RefusedError."""
    return _read(jwk, {*_PUBLIC, "d"}, kind)


def _read(jwk: object, members: set[str], kind: Kind) -> ECKey:
    if not isinstance(jwk, dict) or jwk.keys() != members or jwk["kty"] != "EC" or jwk["crv"] != CURVE:
        raise refused(kind, "malformed", "has a key that is not a JWK of P-256 with exactly its members")
    if any(len(strict.decode(jwk[name], kind)) != _BYTES for name in members - {"kty", "crv"}):
        raise refused(kind, "malformed", "has a key of another size")
    try:
        return ECKey.import_key({name: str(jwk[name]) for name in members})
    except ValueError:
        raise refused(kind, "malformed", "has a key that is not on its curve, or of which the halves differ") from None
