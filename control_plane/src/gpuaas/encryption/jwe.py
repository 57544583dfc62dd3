"""What is sealed for readers: a JWE in general JSON serialization (RFC 7516, section 7.2.1) with a recipient for each,
``ECDH-ES+A256KW`` and ``A256GCM`` (RFC 7518, sections 4.6 and 5.3), nothing else.

What it is bound to is the member ``gpuaas`` of its protected header, which ``crit`` makes every reader understand or
refuse (RFC 7516, section 4.1.13). Content key, nonce and ephemeral keys are drawn by the library, for each JWE.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from joserfc.registry import HeaderParameter

from gpuaas.encryption import keys, strict
from gpuaas.encryption.refusal import Kind, refused

KEY_MANAGEMENT = "ECDH-ES+A256KW"
CONTENT = "A256GCM"
BOUND = "gpuaas"
_MEMBERS = {"protected", "recipients", "iv", "ciphertext", "tag"}
_PROTECTED = {"alg", "enc", "crit", BOUND}
_IV_BYTES, _TAG_BYTES = 12, 16
MOST_RECIPIENTS = 128


class _Registry(jwe.JWERegistry):
    max_protected_header_length = 2048
    max_recipients = MOST_RECIPIENTS


_registry = _Registry({BOUND: HeaderParameter("what it is bound to", lambda _value: None)}, [KEY_MANAGEMENT, CONTENT])


@dataclass(frozen=True, slots=True)
class Sealed:
    """What was read and is not proven yet: ``bound`` is what its header says that it is, ``readers`` whom it is for."""

    kind: Kind
    document: dict[str, object]
    bound: dict[str, object]
    readers: tuple[str, ...]


def seal(plaintext: bytes, bound: Mapping[str, object], readers: Iterable[ECKey]) -> dict[str, object]:
    """``plaintext`` for those who have the private half of one of ``readers``."""
    protected = {"alg": KEY_MANAGEMENT, "enc": CONTENT, "crit": [BOUND], BOUND: dict(bound)}
    document = jwe.GeneralJSONEncryption(protected, plaintext)
    for reader in readers:
        document.add_recipient({"kid": keys.kid(reader)}, reader)
    return dict(jwe.encrypt_json(document, None, registry=_registry))


def read(kind: Kind, document: dict[str, object]) -> Sealed:
    """What is said to be sealed, with nothing in it that is not protected but what a recipient needs. Raises RefusedError."""
    if extra := document.keys() - _MEMBERS:
        raise refused(kind, "unprotected", f"has {len(extra)} members beside those of the serialization")
    if document.keys() != _MEMBERS:
        raise refused(kind, "malformed", "lacks a part")
    header = strict.header(document["protected"], kind)
    if header.get("alg") != KEY_MANAGEMENT or header.get("enc") != CONTENT or "zip" in header:
        raise refused(kind, "algorithm", f"is not sealed by {KEY_MANAGEMENT} and {CONTENT}")
    recipients = document["recipients"]
    if not isinstance(recipients, list) or not 1 <= len(recipients) <= MOST_RECIPIENTS:
        raise refused(kind, "malformed", "has no recipient, or too many")
    # The library of browsers puts the ephemeral key of a single recipient into the protected header.
    shared = {"epk"} if len(recipients) == 1 and "epk" in header else set()
    bound = header.get(BOUND)
    if header.keys() != _PROTECTED | shared or header["crit"] != [BOUND] or not isinstance(bound, dict):
        raise refused(kind, "malformed", "has other members in its protected header than it should")
    if shared:
        keys.read_public(header["epk"], kind)
    readers = tuple(_reader(each, {"kid", "epk"} - shared, kind) for each in recipients)
    if len(set(readers)) != len(readers):
        raise refused(kind, "malformed", "names a recipient twice")
    sizes = [len(strict.decode(document[part], kind)) for part in ("iv", "tag", "ciphertext")]
    if sizes[:2] != [_IV_BYTES, _TAG_BYTES]:
        raise refused(kind, "malformed", "has a nonce or a tag of another size")
    return Sealed(kind, document, bound, readers)


def open_with(sealed: Sealed, held: Mapping[str, ECKey]) -> bytes:
    """The plaintext, with the one of the ``held`` keys that it is for, by their thumbprints. Raises RefusedError."""
    place = next((place for place, reader in enumerate(sealed.readers) if reader in held), None)
    if place is None:
        raise refused(sealed.kind, "recipient", "is for none of the keys that are held")
    recipients = cast(list[object], sealed.document["recipients"])
    mine = cast(Any, {**sealed.document, "recipients": [recipients[place]]})
    try:
        opened = jwe.decrypt_json(mine, held[sealed.readers[place]], registry=_registry)
    except (JoseError, ValueError):
        raise refused(sealed.kind, "decryption", "does not open with the key that it is for") from None
    return opened.plaintext or b""


def _reader(recipient: object, members: set[str], kind: Kind) -> str:
    if not isinstance(recipient, dict) or recipient.keys() != {"header", "encrypted_key"}:
        raise refused(kind, "malformed", "has a recipient that is not a header and a key")
    header = recipient["header"]
    if not isinstance(header, dict) or not header.keys() >= members or not isinstance(header["kid"], str):
        raise refused(kind, "malformed", "has a recipient without its name or its ephemeral key")
    if header.keys() != members:
        raise refused(kind, "unprotected", "has a recipient with more in its header than kid and epk")
    if "epk" in members:
        keys.read_public(header["epk"], kind)
    strict.decode(recipient["encrypted_key"], kind)
    return header["kid"]
