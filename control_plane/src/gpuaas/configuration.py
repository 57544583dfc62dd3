"""What a process says of its configuration: names, types and digests, comparable across modes, free of values.

Every digest is salted: the process draws 16 random bytes when it starts, and tells
them with its digests, so that no table made beforehand and no other process's
digests say anything. A setting's is HMAC-SHA-256 with the salt as the key, over a
label, its name and its text. A secret's is HMAC-SHA-256 with the secret as the key,
over the label, its name and the salt: it proves that two secrets are equal, is of
use nowhere else, and tells nothing about a random value. Only who runs the platform
is told either. What the process says of its security mode and root key, and of who gave it its secrets, is no secret,
and stands there as it is.
"""

from __future__ import annotations

import dataclasses
import hmac
from collections.abc import Mapping
from secrets import token_hex
from typing import Any

from gpuaas import __version__, tracing
from gpuaas.encryption.start import Keys
from gpuaas.kinds import URL
from gpuaas.secrets import Used
from gpuaas.settings import PREFIX, fields

LABEL = "gpuaas-configuration-v2"
SALT_BYTES = 16


def describe(
    service: str, settings: Any, secrets: Any, environ: Mapping[str, str], keys: Keys, used: Used
) -> dict[str, Any]:
    """The document of a process that read ``settings`` from ``environ`` and has ``secrets``, from who was ``used``, and ``keys``."""
    known = {name: kind for name, _attribute, kind in sorted(fields(type(settings)))}
    if environ.get(tracing.ENDPOINT):
        known[tracing.ENDPOINT] = URL
    salt = token_hex(SALT_BYTES)
    held = {item.name: getattr(secrets, item.name) for item in dataclasses.fields(secrets)} | dict(keys.files)
    return {
        "salt": salt,
        "service": service,
        "version": __version__,
        "settings": {
            name: {"type": kind.name, "hmac_sha256": setting_digest(name, environ[name], salt)}
            for name, kind in known.items()
        },
        "secrets": {name: {"hmac_sha256": secret_digest(name, value, salt)} for name, value in sorted(held.items())},
        "secrets_from": dataclasses.asdict(used),
        "security": keys.told(),
        "unread": _unread(set(known), environ),
    }


def setting_digest(name: str, value: str, salt: str) -> str:
    """HMAC-SHA-256 with the bytes of ``salt`` (hex) as key, of the label, ``name`` and ``value`` with zero bytes between; in hex."""
    return hmac.digest(bytes.fromhex(salt), f"{LABEL}\0{name}\0{value}".encode(), "sha256").hex()


def secret_digest(name: str, value: str, salt: str) -> str:
    """HMAC-SHA-256 with key ``value``, of the label, ``name`` and ``salt`` (hex) with zero bytes between; in hex."""
    return hmac.digest(value.encode(), f"{LABEL}\0{name}\0{salt}".encode(), "sha256").hex()


def _unread(known: set[str], environ: Mapping[str, str]) -> list[str]:
    """Names with our prefix that the process was given and does not read."""
    return sorted(name for name in environ if name.startswith(PREFIX) and name not in known)
