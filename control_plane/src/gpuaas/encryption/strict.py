"""JSON and base64url that can be written in one way alone.

Two parsers that read the same bytes differently are how a signature is made to cover something else. So names that come
twice (RFC 7515, section 4) and base64url with other than the canonical last digit (RFC 4648, section 3.5) are refused.
"""

from __future__ import annotations

import base64
import binascii
import json
import re

from gpuaas.encryption.refusal import Kind, refused

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")


def encode(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: object, kind: Kind) -> bytes:
    """What canonical base64url stands for. Raises RefusedError."""
    if not isinstance(text, str) or not _BASE64URL.fullmatch(text):
        raise refused(kind, "base64url", "has something that is not base64url")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise refused(kind, "base64url", "has base64url that ends too early") from None
    if encode(data) != text:
        raise refused(kind, "base64url", "has base64url that is not canonical")
    return data


def canonical(members: dict[str, object]) -> bytes:
    """JSON as both libraries write a header: no space, ASCII alone, members in their order."""
    return json.dumps(members, ensure_ascii=True, separators=(",", ":")).encode("ascii")


def read(text: bytes, kind: Kind) -> dict[str, object]:
    """The members of a JSON object. Raises RefusedError."""

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        members = dict(pairs)
        if len(members) != len(pairs):
            raise refused(kind, "duplicate_name", "has a name twice in one object")
        if any(isinstance(value, bool) for value in members.values()):
            raise refused(kind, "malformed", "has a truth value")  # No format has one, and to Python true is 1.
        return members

    def no_number(_text: str) -> object:
        raise refused(kind, "malformed", "has a number that is not a whole one")

    try:
        members = json.loads(
            text.decode("utf-8"), object_pairs_hook=unique, parse_float=no_number, parse_constant=no_number
        )
    except (ValueError, RecursionError):
        raise refused(kind, "malformed", "has something that is not JSON") from None
    if not isinstance(members, dict):
        raise refused(kind, "malformed", "has JSON that is not an object")
    return members


def header(encoded: object, kind: Kind) -> dict[str, object]:
    """A protected header, which must be written canonically: what is authenticated is then what was read. Raises RefusedError."""
    text = decode(encoded, kind)
    members = read(text, kind)
    if canonical(members) != text:
        raise refused(kind, "malformed", "has a header that is not written canonically")
    return members
