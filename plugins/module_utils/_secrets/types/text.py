# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Types whose value is one text: password and key."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.types.model import DISTINCT, Keys


@dataclass(frozen=True)
class Text:
    """A text that is written from ``size`` random bytes by ``write``; ``read`` has the bytes in which it must not repeat itself."""

    size: int
    context: str
    schema: dict[str, Any]
    write: Callable[[bytes], str]
    read: Callable[[str], bytes]
    derives: bool = False
    wraps: bool = False

    grows = False
    derivable = True

    @property
    def part(self) -> Text:
        """A rotation brings the whole value."""
        return self

    def encode(self, raw: bytes) -> str:
        """The value that is made of ``raw``."""
        return self.write(raw)

    def renew(self, _old: str | None, part: str) -> str:
        """The new value, whatever the old one was."""
        return part

    def stored(self, value: str) -> str:
        """The text itself."""
        return value

    def text(self, stored: Any) -> str:
        """The text itself."""
        return str(stored)

    def fault(self, value: str) -> str:
        """Refuses what was plainly not drawn at random."""
        return "is too weak: it repeats a few characters" if len(set(self.read(value))) < DISTINCT else ""

    def keys(self, value: str) -> tuple[None, Keys]:
        """The one key, which has no version."""
        return None, {None: self.read(value)}


def _urlsafe(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


PASSWORD = Text(
    # 32 characters of 6 bits: 192 bits. NIST SP 800-63B asks for 112 of a look-up secret.
    size=24,
    context="password",
    schema={
        "title": "a password of 24 to 128 characters out of A-Z a-z 0-9 _ -",
        "type": "string",
        "minLength": 24,
        "maxLength": 128,
        "pattern": r"^[A-Za-z0-9_-]+$(?!\n)",
    },
    write=_urlsafe,
    read=str.encode,
)
KEY = Text(
    size=32,
    # The type was once called so.
    context="key256",
    schema={
        "title": "32 random bytes in base64 (44 characters)",
        "type": "string",
        "pattern": r"^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$(?!\n)",
    },
    write=_base64,
    read=base64.b64decode,
    derives=True,
    wraps=True,
)
