"""What workflows hand to each other, as Temporal keeps it: a JWE in compact serialization, ``dir`` and ``A256GCM``.

The header (RFC 7516, section 4) names the key by ``kid``, so that every version of a keyring opens what it sealed, and has
as member ``gpuaas`` which workflow of which namespace it is for, which ``crit`` makes every reader understand. It is the
associated data (section 5.1, step 14). The nonce is drawn by the library: a key seals 2^32 at most (SP 800-38D, section 8.3).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from joserfc.registry import HeaderParameter

from gpuaas.encryption import strict
from gpuaas.encryption.providers.keyring import Keyring, key_id
from gpuaas.encryption.refusal import Kind, Reason, RefusedError

VERSION = 1
_ALGORITHMS = ["dir", "A256GCM"]
_BOUND = "gpuaas"
_LONGEST_HEADER = 4096
# Of all that goes to Temporal; it takes 2 MiB.
_LONGEST = 4 * 1024 * 1024


class _Registry(jwe.JWERegistry):
    max_protected_header_length = _LONGEST_HEADER
    max_ciphertext_length = _LONGEST


_registry = _Registry({_BOUND: HeaderParameter("what it is bound to", lambda _value: None)}, _ALGORITHMS)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a payload belongs: it is opened nowhere else."""

    namespace: str
    workflow: str

    def members(self) -> dict[str, object]:
        """As a header says it."""
        return {"version": VERSION, "namespace": self.namespace, "workflow": self.workflow}


@dataclass(frozen=True, slots=True)
class PayloadKeys:
    """Keys by their id; ``primary`` seals, each opens what it sealed."""

    primary: str
    keys: dict[str, OctKey] = field(repr=False)

    @classmethod
    def of(cls, ring: Keyring) -> PayloadKeys:
        """Those of every version of a keyring."""
        keys = {key_id(key): OctKey.import_key(key) for key in ring.keys.values()}
        return cls(key_id(ring.keys[ring.primary]), keys)

    def seal(self, plaintext: bytes, place: Place) -> str:
        """``plaintext``, for who has the keyring."""
        header = {"alg": "dir", "enc": "A256GCM", "kid": self.primary, "crit": [_BOUND], _BOUND: place.members()}
        return jwe.encrypt_compact(header, plaintext, self.keys[self.primary], registry=_registry)

    def open_sealed(self, sealed: str, place: Place) -> bytes:
        """The plaintext of what was sealed for ``place``. Raises RefusedError, and quotes nothing of it."""
        kid, bound = _read(sealed)
        if bound.get("version") != VERSION:
            raise RefusedError(Reason.PAYLOAD_VERSION, f"it is not of version {VERSION}")
        if bound != place.members():
            raise RefusedError(Reason.PAYLOAD_CONTEXT, f"it was sealed for another workflow than {place.workflow}")
        if kid not in self.keys:
            raise RefusedError(Reason.PAYLOAD_KEY_UNKNOWN, f"it needs key {kid}, there are {', '.join(self.keys)}")
        try:
            return jwe.decrypt_compact(sealed, self.keys[kid], registry=_registry).plaintext or b""
        except (JoseError, ValueError):
            raise RefusedError(Reason.PAYLOAD_DECRYPTION, f"it does not open with key {kid}, which it names") from None


def _read(sealed: str) -> tuple[str, dict[str, Any]]:
    """The id of its key, and what its header says that it is bound to. Raises RefusedError."""
    malformed = RefusedError(Reason.PAYLOAD_MALFORMED, "it is not what was sealed here, or ends too early")
    parts = sealed.split(".")
    if len(parts) != 5 or len(parts[0]) > _LONGEST_HEADER:
        raise malformed
    try:
        header = strict.header(parts[0], Kind.ENVELOPE)
        for part in parts[1:]:
            strict.decode(part, Kind.ENVELOPE)
    except RefusedError:
        raise malformed from None
    kid, bound = header.pop("kid", None), header.pop(_BOUND, None)
    if (
        header != {"alg": "dir", "enc": "A256GCM", "crit": [_BOUND]}
        or not isinstance(kid, str)
        or not isinstance(bound, dict)
    ):
        raise malformed
    return kid, bound
