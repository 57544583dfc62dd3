"""What a process says of its configuration: names, types and digests, comparable across modes, free of values.

A setting's digest is the SHA-256 of its text. A secret's is HMAC-SHA-256 with the
secret as the key, over a label and its name: it proves that two secrets are
equal, is of use nowhere else, and tells nothing about a random value. Only an
operator is told either.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from gpuaas import __version__
from gpuaas.settings import PREFIX, fields

LABEL = "gpuaas-configuration-v1"


def describe(service: str, settings: Any, secrets: Any, environ: Mapping[str, str]) -> dict[str, Any]:
    """The document of a process that read ``settings`` from ``environ`` and has ``secrets``."""
    known = sorted(fields(type(settings)))
    return {
        "service": service,
        "version": __version__,
        "settings": {
            name: {"type": kind.name, "sha256": hashlib.sha256(environ[name].encode()).hexdigest()}
            for name, _attribute, kind in known
        },
        "secrets": {
            item.name: {"hmac_sha256": secret_digest(item.name, getattr(secrets, item.name))}
            for item in dataclasses.fields(secrets)
        },
        "unread": _unread({name for name, _attribute, _kind in known}, environ),
    }


def secret_digest(name: str, value: str) -> str:
    """HMAC-SHA-256 with key ``value`` of ``gpuaas-configuration-v1``, a zero byte and ``name``; in hex."""
    return hmac.digest(value.encode(), f"{LABEL}\0{name}".encode(), "sha256").hex()


def _unread(known: set[str], environ: Mapping[str, str]) -> list[str]:
    """Names with our prefix that the process was given and does not read."""
    return sorted(name for name in environ if name.startswith(PREFIX) and name not in known)
