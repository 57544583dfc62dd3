# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Security modes: one explicit word that says who holds keys, in a mode's file or asked for in its place.

It is neither the deployment mode nor the tier (docs/modes.md). What it refuses, processes refuse as well when they
start; here nothing has been made yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

LOCAL, STAGING, PROD = SECURITY_MODES = ("LOCAL", "STAGING", "PROD")
NAMES = ("security", "key_provider", "member_keys")
"""What a setting may refer to of it."""
# Names that lead to the machine itself and nowhere else (RFC 6761 6.3).
_LOOPBACK_DOMAIN = "localhost"
_FILE, _NONE = "file:", "none"


@dataclass(frozen=True)
class Security:
    """``mode`` is the word, ``asked`` the same word where somebody asked for it in place of the mode file's.

    ``key_provider`` says where the root key is, ``member_keys`` where those of members are. All are empty in a platform
    that speaks of no security modes.
    """

    mode: str
    asked: str
    key_provider: str
    member_keys: str

    @classmethod
    def of(cls, table: Mapping[str, Mapping[str, str]], said: Mapping[str, Any], asked: str) -> Security:
        """Of a platform's ``security`` and a mode's file, whose own ``key_provider`` goes with its own word."""
        own = str(said.get("security", ""))
        word = asked or own
        keys = table.get(word, {})
        provider = keys.get("key_provider", "")
        if word == own:
            provider = str(said.get("key_provider", provider))
        return cls(word, asked if asked != own else "", provider, keys.get("member_keys", ""))

    def without_files(self) -> Security:
        """The same where nobody delivers files: a root key in one is nowhere, and what needs it is refused."""
        return replace(self, key_provider=_NONE) if self.key_provider.startswith(_FILE) else self

    def faults(self, table: Mapping[str, object], domain: str) -> Iterator[tuple[str, str]]:
        """(key, what is wrong) of a mode with ``domain``."""
        if not table:
            if self.mode:
                yield "security", f"is {self.mode}, and platform.yml says of no security mode who holds keys"
        elif self.mode not in table:
            yield "security", f"must be one of {', '.join(table)}: nothing is assumed"
        elif self.mode == LOCAL:
            if domain.rpartition(".")[2] != _LOOPBACK_DOMAIN:
                yield "security", f"is LOCAL, where the server may open everything, and the domain is {domain}: not under .localhost"
        elif self.key_provider.startswith(_FILE):
            yield "key_provider", f"is a file, and security is {self.mode}: a root key is in a KMS there, or nowhere"
        elif self.member_keys == "escrow" and self.mode == PROD:
            yield "member_keys", "is escrow, and security is PROD: no server can open what is a tenant's"
        elif self.member_keys == "escrow" and self.key_provider == _NONE:
            yield "key_provider", "is none, and member_keys is escrow: there is nothing to wrap them with"
