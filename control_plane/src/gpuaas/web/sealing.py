"""Authenticated encryption of what leaves the process: AES-256-GCM (NIST SP 800-38D), a key for each purpose.

Keys are derived from the session key by HKDF (RFC 5869), so that what was made
for one purpose is nothing for another.
"""

from __future__ import annotations

import base64
import binascii
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES = 12


class Sealer:
    """Seals and opens text for one purpose; ``context`` must be the same for both."""

    def __init__(self, key: bytes, purpose: str) -> None:
        self._cipher = AESGCM(HKDF(SHA256(), 32, None, f"gpuaas.web.{purpose}".encode()).derive(key))

    def seal(self, text: str, context: str) -> str:
        """``text``, for nobody else to read or change; in base64url."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, text.encode(), context.encode())
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open(self, sealed: str, context: str) -> str | None:
        """The text, when it was sealed with this key, for this purpose and context."""
        try:
            raw = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
            return self._cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], context.encode()).decode()
        except (InvalidTag, binascii.Error, ValueError):
            return None
