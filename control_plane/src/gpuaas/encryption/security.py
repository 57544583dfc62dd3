"""Security modes: who may hold keys in each, and what a process refuses to start with.

A mode is one explicit word. It is neither the deployment mode (where the platform runs) nor the tier (where
secrets come from): docs/modes.md says how the three relate.

| | root key | keys of members | reached at |
|---|---|---|---|
| LOCAL | anywhere | on devices, or escrowed | names under .localhost alone |
| STAGING | a KMS, or none | on devices; or escrowed, where there is a KMS | anywhere |
| PROD | a KMS, or none | on devices alone | anywhere |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from gpuaas.encryption.refusal import Reason, RefusedError

# Names that lead to the machine itself and nowhere else (RFC 6761 6.3).
_LOOPBACK_DOMAIN = "localhost"


class SecurityMode(StrEnum):
    """What the server can read, from most to least."""

    LOCAL = "LOCAL"
    STAGING = "STAGING"
    PROD = "PROD"

    @classmethod
    def of(cls, word: str) -> SecurityMode:
        """The mode of exactly that word. Raises RefusedError ``security_mode_unknown``."""
        try:
            return cls(word)
        except ValueError:
            raise RefusedError(Reason.SECURITY_MODE_UNKNOWN, f"{word!r} is no security mode") from None


class MemberKeys(StrEnum):
    """Where the private keys of members lie."""

    ESCROW = "escrow"
    """At the server, wrapped by the root key."""
    DEVICES = "devices"
    """With the members; no server has one."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a process is configured with: the scheme of its root key's provider (``file``, ``awskms``, ``none``), where
    members' keys lie, and its public URLs by the names of their settings."""

    root: str
    member_keys: MemberKeys
    public_urls: Mapping[str, str]


def refuse(mode: SecurityMode, held: Held) -> None:
    """Refuse to start with what ``mode`` does not allow.

    Raises RefusedError: ``security_file_keys``, ``security_escrow``, ``security_escrow_without_kms``,
    ``security_public_domain``.
    """
    if mode is SecurityMode.LOCAL:
        _refuse_public(held.public_urls)
        return
    if held.root == "file":
        raise RefusedError(Reason.SECURITY_FILE_KEYS, f"{mode} with a root key in a file")
    if held.member_keys is MemberKeys.ESCROW:
        if mode is SecurityMode.PROD:
            raise RefusedError(Reason.SECURITY_ESCROW, f"{mode} with members' keys in escrow")
        if held.root == "none":
            raise RefusedError(
                Reason.SECURITY_ESCROW_WITHOUT_KMS, f"{mode} with members' keys in escrow, and no root key"
            )


def _refuse_public(urls: Mapping[str, str]) -> None:
    for setting, url in urls.items():
        host = (urlsplit(url).hostname or "").removesuffix(".")
        if host.rpartition(".")[2] != _LOOPBACK_DOMAIN:
            raise RefusedError(Reason.SECURITY_PUBLIC_DOMAIN, f"LOCAL, and {setting} is at {host}")
