"""A root key that lies in the test: what a KeyProvider does, with the context as associated data."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class WrappingError(Exception):
    """It was not wrapped by this key, or not in this context."""


class Wrapping:
    """``asked`` are the contexts that it unwrapped in, or should have."""

    def __init__(self) -> None:
        self._key = AESGCM(AESGCM.generate_key(256))
        self.asked: list[dict[str, str]] = []

    def wrap(self, key: bytes, context: Mapping[str, str]) -> bytes:
        nonce = os.urandom(12)
        return nonce + self._key.encrypt(nonce, key, _serialized(context))

    def unwrap(self, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        self.asked.append(dict(context))
        try:
            return self._key.decrypt(wrapped[:12], wrapped[12:], _serialized(context))
        except (InvalidTag, ValueError):
            raise WrappingError from None


def _serialized(context: Mapping[str, str]) -> bytes:
    return json.dumps(dict(context), sort_keys=True).encode()
