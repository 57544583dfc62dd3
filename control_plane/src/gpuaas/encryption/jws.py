"""What somebody signed: a JWS in compact serialization (RFC 7515, section 7.1), ES256 (RFC 7518, section 3.4), nothing else.

The compact form has no unprotected header. Its header has ``alg``, ``kid`` and ``typ``, which ends with the version.
"""

from __future__ import annotations

from dataclasses import dataclass

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from gpuaas.encryption import keys, strict
from gpuaas.encryption.refusal import Kind, refused

ALGORITHM = "ES256"
VERSION = 1
_MEMBERS = {"alg", "kid", "typ"}


class _Registry(jws.JWSRegistry):
    max_payload_length = 1 << 20  # Ours is checked before, and by kind.


_registry = _Registry(algorithms=[ALGORITHM])


@dataclass(frozen=True, slots=True)
class Signed:
    """What was read; ``signer`` is who is said to have signed, which ``verify`` is to prove."""

    kind: Kind
    text: str
    signer: str
    payload: bytes


def sign(kind: Kind, payload: bytes, key: ECKey) -> str:
    """``payload``, signed."""
    header = {"alg": ALGORITHM, "kid": keys.kid(key), "typ": _type(kind, VERSION)}
    return jws.serialize_compact(header, payload, key, registry=_registry)


def read(kind: Kind, text: str, longest: int) -> Signed:
    """What is said to be signed. Raises RefusedError."""
    if len(text) > longest:
        raise refused(kind, "oversize", f"has {len(text)} characters of at most {longest}")
    parts = text.split(".")
    if len(parts) != 3:
        raise refused(kind, "malformed", f"has {len(parts)} parts instead of 3")
    header = strict.header(parts[0], kind)
    payload, _signature = (strict.decode(part, kind) for part in parts[1:])
    if header.keys() != _MEMBERS or not isinstance(header["kid"], str):
        raise refused(kind, "malformed", "has other members in its header than alg, kid and typ")
    if header["alg"] != ALGORITHM:
        raise refused(kind, "algorithm", "is signed by another algorithm than ES256")
    if header["typ"] != _type(kind, VERSION):
        raise refused(kind, "version", f"is not of type {_type(kind, VERSION)}")
    return Signed(kind, text, header["kid"], payload)


def verify(signed: Signed, key: ECKey) -> None:
    """That ``key`` signed it. Raises RefusedError."""
    try:
        jws.deserialize_compact(signed.text, key, registry=_registry)
    except (JoseError, ValueError):
        raise refused(signed.kind, "signature", f"was not signed as it is by {keys.kid(key)}") from None


def _type(kind: Kind, version: int) -> str:
    return f"gpuaas-{kind}.{version}"
