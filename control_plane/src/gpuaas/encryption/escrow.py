"""A member's private keys at the server, wrapped by the root key: for made-up members in STAGING, and in LOCAL.

The security mode says where that may be; see ``security``. With them lies the member's pin, so that who can write to the
database, and has no root key, cannot have the server show what nobody of the project wrote.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from gpuaas.encryption import platform_data, strict
from gpuaas.encryption.binding import Binding, DataClass
from gpuaas.encryption.epoch import Pin
from gpuaas.encryption.member import MemberKey
from gpuaas.encryption.refusal import Kind, Reason, RefusedError

_TYPE, _VERSION = "member.key", 2
_SPACE = uuid.UUID("4f1bb45c-3a5e-4a4c-9d3e-0d5a1b0a7c11")


@dataclass(frozen=True, slots=True)
class Escrowed:
    """A member's keys, and the epoch that it trusts."""

    key: MemberKey
    pin: Pin


def seal(held: Escrowed, project: str, provider: platform_data.Wrapping) -> str:
    """``held``, for who may use the provider's root key. Raises RefusedError."""
    key, pin = held.key, held.pin
    document = {"key": key.serialized().decode(), "number": pin.number, "digest": pin.digest}
    return platform_data.seal(strict.canonical(document), _binding(key.environment, project, key.kid), provider)


def open_sealed(sealed: str, environment: str, project: str, kid: str, provider: platform_data.Wrapping) -> Escrowed:
    """What the member of that thumbprint left. Raises RefusedError."""
    document = strict.read(
        platform_data.open_sealed(sealed, _binding(environment, project, kid), provider), Kind.ENVELOPE
    )
    match document:
        case {"key": str() as key, "number": int() as number, "digest": str() as digest}:
            return Escrowed(MemberKey.read(key.encode(), environment), Pin(number, digest))
    raise RefusedError(Reason.PLATFORM_DATA_MALFORMED, "it has not what a member leaves in escrow")


def _binding(environment: str, project: str, kid: str) -> Binding:
    return Binding(environment, DataClass.PLATFORM, project, str(uuid.uuid5(_SPACE, kid)), _TYPE, _VERSION)
