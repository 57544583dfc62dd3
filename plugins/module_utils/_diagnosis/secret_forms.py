# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shapes in which a secret can turn up in a log: as it is, escaped, or inside base64, once or twice."""

from __future__ import annotations

import base64
import binascii
import html
import json
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

# Shorter pieces than this would hide ordinary words.
_SHORTEST_PIECE = 6


def forms(value: str) -> set[str]:
    """Every spelling of ``value`` that is to be looked for, itself included; empty for an empty value."""
    if not value:
        return set()
    found = {value, html.escape(value), json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    # What a shell, a YAML dumper or repr() makes of it, without its quotes.
    found |= {repr(value)[1:-1], value.replace("'", "''"), value.replace("'", "'\\''")}
    for encoded in (quote(value, safe=""), quote(value), quote_plus(value)):
        found |= {encoded, _lower_escapes(encoded)}
    raw = value.encode(errors="surrogateescape")
    found |= set(_inside_base64(raw))
    # A Secret whose value is base64 already, or a whole document that is encoded again.
    twice = {once for layer in _inside_base64(raw) for once in _inside_base64(layer.encode())}
    found |= twice | {base64.b64encode(base64.b64encode(raw)).decode().rstrip("=")}
    found |= {raw.hex(), raw.hex().upper()} if len(raw) * 2 >= _SHORTEST_PIECE else set()
    found |= set(_other_base64_alphabet(value))
    return found


def _lower_escapes(encoded: str) -> str:
    """Percent escapes with lower-case digits, which RFC 3986 2.1 holds equivalent."""
    head, *escapes = encoded.split("%")
    return head + "".join("%" + part[:2].lower() + part[2:] for part in escapes)


def _inside_base64(raw: bytes) -> Iterator[str]:
    """What is certain to appear when ``raw`` stands anywhere in a text that is base64-encoded.

    Base64 takes three bytes at a time, so there are three alignments; the
    characters at both ends also hold bits of the neighbours and are left out.
    ``Authorization: Basic`` is such a text: the secret follows a client id.
    """
    yield base64.b64encode(raw).decode().rstrip("=")
    yield base64.urlsafe_b64encode(raw).decode().rstrip("=")
    for before in range(3):
        bits = before * 8
        first = -(-bits // 6)
        last = (bits + len(raw) * 8) // 6
        padded = b"\0" * before + raw + b"\0\0"
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            piece = encode(padded).decode()[first:last]
            if len(piece) >= _SHORTEST_PIECE:
                yield piece


def _other_base64_alphabet(value: str) -> Iterator[str]:
    """A value that is itself base64 (a key) in the other alphabet, without padding, and as hexadecimal digits."""
    if len(value) < 16:
        return
    try:
        raw = base64.b64decode(value.replace("-", "+").replace("_", "/") + "=" * (-len(value) % 4), validate=True)
    except (binascii.Error, ValueError):
        return
    yield from (value.rstrip("="), base64.urlsafe_b64encode(raw).decode().rstrip("="))
    yield from (base64.b64encode(raw).decode().rstrip("="), raw.hex(), raw.hex().upper())
