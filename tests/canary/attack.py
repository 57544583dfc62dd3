"""Tries every key that was found on everything that is sealed, and what opens on the rest.

It runs in the control plane's image, which has the libraries: standard input is ``{"texts": [...], "found": [base64, ...]}``,
standard output how many keys there were, and what was opened.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

_PEM = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----.+?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL)
# 32 bytes are 43 digits, with a padding or without; or 64 hexadecimal ones.
_BASE64 = re.compile(rb"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{43}(?![A-Za-z0-9+/_-])")
_HEX = re.compile(rb"(?<![0-9A-Fa-f])[0-9A-Fa-f]{64}(?![0-9A-Fa-f])")
_KEY_BYTES = 32


def candidates(data: bytes) -> set[bytes]:
    """Whatever in ``data`` may be a key: of 256 bits, as it is written in files and in JSON Web Keys, or a private key in PEM."""
    found = {bytes.fromhex(each.decode()) for each in _HEX.findall(data)} | set(_PEM.findall(data))
    for each in _BASE64.findall(data):
        try:
            found.add(base64.urlsafe_b64decode(each.translate(bytes.maketrans(b"+/", b"-_")) + b"="))
        except binascii.Error:
            continue
    return found | ({data} if len(data) == _KEY_BYTES else set())


def sealed_in(text: str) -> Iterator[dict[str, Any]]:
    """Every JWE in what a member signed, with one recipient each."""
    payload = text.split(".")[1]
    waiting = [json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))]
    while waiting:
        match waiting.pop():
            case {"ciphertext": _, "recipients": recipients} as document:
                yield from ({**document, "recipients": [recipient]} for recipient in recipients)
            case dict() as members:
                waiting += members.values()
            case list() as items:
                waiting += items


def _private(candidate: bytes) -> Any:
    """The key on P-256 that it is, or may be the number of; None where it is none."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from joserfc.jwk import ECKey

    try:
        if candidate.startswith(b"-----"):
            key = serialization.load_pem_private_key(candidate, None)
        else:
            key = ec.derive_private_key(int.from_bytes(candidate), ec.SECP256R1())
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
            return None
        form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        return ECKey.import_key(key.private_bytes(*form))
    except (ValueError, TypeError):
        return None


def _by_agreement(document: dict[str, Any], private: Any) -> bytes | None:
    """As a recipient."""
    from gpuaas.encryption import jwe as own
    from joserfc import jwe
    from joserfc.errors import JoseError

    try:
        return jwe.decrypt_json(document, private, registry=own._registry).plaintext  # type: ignore[arg-type, no-any-return]
    except (JoseError, ValueError):
        return None


def _directly(document: dict[str, Any], key: bytes) -> bytes | None:
    """As the key that wraps the content key, or as the content key itself."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

    def part(text: str) -> bytes:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    keys = [key]
    with suppress(InvalidUnwrap):
        keys.append(aes_key_unwrap(key, part(document["recipients"][0]["encrypted_key"])))
    for each in keys:
        try:
            sealed = part(document["ciphertext"]) + part(document["tag"])
            return AESGCM(each).decrypt(part(document["iv"]), sealed, document["protected"].encode())
        except InvalidTag:
            continue
    return None


def opened(documents: list[dict[str, Any]], found: set[bytes]) -> list[bytes]:
    """All plaintexts that can be had."""
    plaintexts: list[bytes] = []
    tried, waiting = set[bytes](), set(found)
    while waiting:
        candidate = waiting.pop()
        tried.add(candidate)
        private = _private(candidate)
        for document in documents:
            plaintext = _by_agreement(document, private) if private else None
            if plaintext is None and len(candidate) == _KEY_BYTES:
                plaintext = _directly(document, candidate)
            if plaintext is not None:
                plaintexts.append(plaintext)
                waiting |= candidates(plaintext) - tried
    return plaintexts


def main() -> int:
    """Answer."""
    given = json.load(sys.stdin)
    documents = [document for text in given["texts"] for document in sealed_in(text)]
    found = {base64.b64decode(each) for each in given["found"]}
    plaintexts = [each.decode(errors="replace") for each in opened(documents, found)]
    print(json.dumps({"sealed": len(documents), "keys": len(found), "opened": plaintexts}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
