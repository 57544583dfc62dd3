"""The versions of a root key, as a keyring file has them.

``{"primary": 2, "keys": {"1": "<32 bytes in base64>", "2": …}}`` is what the platform's secrets of type keyring look
like. ``environment`` may stand beside them, and then it has to be the reader's.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gpuaas.encryption.refusal import Reason, RefusedError

_VERSION = re.compile(r"[1-9][0-9]{0,8}")
_ID_BYTES = 8


def key_id(key: bytes) -> str:
    """A name of a key that tells nothing about it: 64 bits of HMAC-SHA-256 with the key, over a label."""
    return hmac.digest(key, b"gpuaas root key id", "sha256")[:_ID_BYTES].hex()


@dataclass(frozen=True, slots=True)
class Keyring:
    """Keys by version; ``primary`` is the version that wraps. ``environment`` is empty where the file does not say it."""

    environment: str
    primary: int
    keys: dict[int, bytes] = field(repr=False)

    @classmethod
    def first(cls, environment: str) -> Keyring:
        """A keyring with one version, drawn by the library."""
        return cls(environment, 1, {1: AESGCM.generate_key(256)})

    def grown(self) -> Keyring:
        """With a new version that wraps, and all that there were."""
        newest = max(self.keys) + 1
        return Keyring(self.environment, newest, {**self.keys, newest: AESGCM.generate_key(256)})

    def text(self) -> bytes:
        """The file's content."""
        keys = {str(version): base64.b64encode(self.keys[version]).decode() for version in sorted(self.keys)}
        document: dict[str, Any] = {"environment": self.environment} if self.environment else {}
        return json.dumps(document | {"primary": self.primary, "keys": keys}).encode() + b"\n"

    @classmethod
    def parse(cls, text: bytes, file: str) -> Keyring:
        """Raises RefusedError ``root_file_malformed``, which says what is wrong and quotes nothing."""
        try:
            document = json.loads(text.decode(), object_pairs_hook=_once)
            keys = {_version(version): _key(key) for version, key in document["keys"].items()}
            environment, primary = document.get("environment", ""), document["primary"]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise _malformed(file, "is not a keyring, or only a part of one") from None
        if set(document) - {"environment", "primary", "keys"} or not isinstance(environment, str):
            raise _malformed(file, "has something that a keyring has not")
        if isinstance(primary, bool) or not isinstance(primary, int) or primary not in keys:
            raise _malformed(file, "has no key of its primary version")
        if len(set(keys.values())) < len(keys):
            raise _malformed(file, "has one key in two versions")
        return cls(environment, primary, keys)


def _malformed(file: str, what: str) -> RefusedError:
    return RefusedError(Reason.ROOT_FILE_MALFORMED, f"{file} {what}")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError
    return dict(pairs)


def _version(text: str) -> int:
    if not _VERSION.fullmatch(text):
        raise ValueError
    return int(text)


def _key(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError from None
    if len(key) != 32 or base64.b64encode(key).decode() != text:
        raise ValueError
    return key
