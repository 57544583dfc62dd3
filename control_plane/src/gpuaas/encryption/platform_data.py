"""Data of the platform itself, such as session tokens: a JWE in compact serialization, ``A256GCM`` with a key of its own.

The key is drawn for each record and wrapped by the KeyProvider. The wrapped key and what the record is bound to stand in
the protected header, which is the associated data (RFC 7516, section 5.1, step 14); the provider is told of the binding
as well, so that a KMS unwraps nothing that is passed off as something else, and logs what it unwraps.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from joserfc.registry import HeaderParameter

from gpuaas.encryption import strict
from gpuaas.encryption.binding import Binding
from gpuaas.encryption.refusal import Kind, Reason, RefusedError

VERSION = 1
LONGEST_PLAINTEXT = 32 * 1024
_KEY_BITS = 256
_ALGORITHMS = ["dir", "A256GCM"]
_BOUND = "gpuaas"
_LONGEST_HEADER = 4096


class _Registry(jwe.JWERegistry):
    max_protected_header_length = _LONGEST_HEADER


_registry = _Registry({_BOUND: HeaderParameter("what it is bound to", lambda _value: None)}, _ALGORITHMS)


class Wrapping(Protocol):
    """What is needed of a KeyProvider."""

    def wrap(self, key: bytes, context: Mapping[str, str]) -> bytes: ...

    def unwrap(self, wrapped: bytes, context: Mapping[str, str]) -> bytes: ...


def seal(plaintext: bytes, binding: Binding, provider: Wrapping) -> str:
    """``plaintext``, for who may use the provider's key. Raises RefusedError."""
    if len(plaintext) > LONGEST_PLAINTEXT:
        raise RefusedError(
            Reason.PLATFORM_DATA_OVERSIZE, f"it has {len(plaintext)} bytes of at most {LONGEST_PLAINTEXT}"
        )
    key = OctKey.generate_key(_KEY_BITS)
    wrapped = strict.encode(provider.wrap(key.raw_value, binding.context()))
    bound = {"version": VERSION, **binding.members(), "wrapped": wrapped}
    header = {"alg": _ALGORITHMS[0], "enc": _ALGORITHMS[1], "crit": [_BOUND], _BOUND: bound}
    return jwe.encrypt_compact(header, plaintext, key, registry=_registry)


def open_sealed(sealed: str, binding: Binding, provider: Wrapping) -> bytes:
    """The plaintext of what was sealed as ``binding``. Raises RefusedError."""
    bound, wrapped = _read(sealed)
    for name, wanted in binding.members().items():
        if bound.get(name) != wanted:
            raise RefusedError(Reason.PLATFORM_DATA_CONTEXT, f"its {name} is not {wanted}")
    key = provider.unwrap(wrapped, binding.context())
    try:
        return jwe.decrypt_compact(sealed, OctKey.import_key(key), registry=_registry).plaintext or b""
    except (JoseError, ValueError):
        raise RefusedError(Reason.PLATFORM_DATA_DECRYPTION, "it does not open with its own key") from None


def _read(sealed: str) -> tuple[dict[str, object], bytes]:
    """What the header says that it is bound to, and its wrapped key. Raises RefusedError."""
    malformed = RefusedError(Reason.PLATFORM_DATA_MALFORMED, "it is not what was sealed here, or ends too early")
    parts = sealed.split(".")
    if len(parts) != 5 or len(parts[0]) > _LONGEST_HEADER:
        raise malformed
    try:
        header = strict.header(parts[0], Kind.ENVELOPE)
        for part in parts[1:]:
            strict.decode(part, Kind.ENVELOPE)
        bound = header.pop(_BOUND, None)
        if header != {"alg": _ALGORITHMS[0], "enc": _ALGORITHMS[1], "crit": [_BOUND]} or not isinstance(bound, dict):
            raise malformed
        wrapped = strict.decode(bound.pop("wrapped", None), Kind.ENVELOPE)
    except RefusedError:
        raise malformed from None
    if bound.pop("version", None) != VERSION:
        raise RefusedError(Reason.PLATFORM_DATA_VERSION, f"it is not of version {VERSION}")
    return bound, wrapped
