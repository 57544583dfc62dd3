"""A wrapped key as text: who wrapped it, and what only that one can open."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass

from gpuaas.encryption.providers.provider import KEY_BYTES, Context
from gpuaas.encryption.refusal import Reason, RefusedError

CONTEXT_BYTES = 8192  # AWS KMS takes no more
_FORMAT = "1"
_FORM = re.compile(
    rb"(?P<scheme>[a-z]+)\.1\.(?P<root>[A-Za-z0-9_/-]+)\.(?P<version>[A-Za-z0-9_:/-]+)\.(?P<body>[A-Za-z0-9_-]+)"
)


@dataclass(frozen=True, slots=True)
class Wrapped:
    """``<scheme>.1.<root>.<version>.<body in base64url>``: short, one line, and readable enough to say what it needs."""

    scheme: str
    root: str
    version: str
    body: bytes

    @property
    def prefix(self) -> bytes:
        """All but the body, which a provider that can binds to it."""
        return f"{self.scheme}.{_FORMAT}.{self.root}.{self.version}.".encode()

    def encode(self) -> bytes:
        """As it is stored. Raises RefusedError ``wrapped_key_malformed`` for what ``decode`` would not read again."""
        text = self.prefix + base64.urlsafe_b64encode(self.body).rstrip(b"=")
        if not _FORM.fullmatch(text):
            raise RefusedError(Reason.WRAPPED_KEY_MALFORMED, f"no wrapped key can name {self.root} {self.version}")
        return text

    @classmethod
    def decode(cls, wrapped: bytes) -> Wrapped:
        """Raises RefusedError ``wrapped_key_malformed``, also for a second way to write the same."""
        found = _FORM.fullmatch(wrapped)
        if not found:
            raise RefusedError(Reason.WRAPPED_KEY_MALFORMED, "not in the form of a wrapped key")
        scheme, root, version, body = (found[name] for name in ("scheme", "root", "version", "body"))
        try:
            raw = base64.urlsafe_b64decode(body + b"=" * (-len(body) % 4))
        except binascii.Error:
            raise RefusedError(Reason.WRAPPED_KEY_MALFORMED, "a wrapped key that ends too early") from None
        one = cls(scheme.decode(), root.decode(), version.decode(), raw)
        if one.encode() != wrapped:
            raise RefusedError(Reason.WRAPPED_KEY_MALFORMED, "base64url with bits left over")
        return one


def canonical(context: Context) -> bytes:
    """One text for each context: JSON with names in order, in UTF-8. Raises RefusedError ``wrapped_key_context``."""
    if not all(isinstance(text, str) for pair in context.items() for text in pair):
        raise RefusedError(Reason.WRAPPED_KEY_CONTEXT, "a context with something that is no text")
    try:
        text = json.dumps(dict(context), sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        raise RefusedError(Reason.WRAPPED_KEY_CONTEXT, "a context with half a surrogate pair") from None
    if len(text) > CONTEXT_BYTES:
        raise RefusedError(Reason.WRAPPED_KEY_CONTEXT, f"a context of {len(text)} bytes")
    return text


def checked_key(key: bytes) -> bytes:
    """``key`` itself. Raises RefusedError ``wrapped_key_size``."""
    if not 1 <= len(key) <= KEY_BYTES:
        raise RefusedError(Reason.WRAPPED_KEY_SIZE, f"{len(key)} bytes")
    return key
