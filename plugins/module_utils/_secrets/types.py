# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The types of secrets: how one is made out of bytes, and what the contract's file must hold."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

# Of 32 random characters fewer than ten distinct ones do not happen; of typed ones they do.
DISTINCT = 10


@dataclass(frozen=True)
class SecretType:
    """How many bytes a secret is made of, and how it is written."""

    size: int
    encode: Callable[[bytes], str]


def _urlsafe(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


TYPES = {
    # 32 characters of 6 bits: 192 bits. NIST SP 800-63B asks for 112 of a look-up secret.
    "password": SecretType(24, _urlsafe),
    "key256": SecretType(32, _base64),
}


def make(type_: str) -> str:
    """A new value of ``type_`` from the operating system's generator."""
    return TYPES[type_].encode(secrets.token_bytes(TYPES[type_].size))


def narrowed(schema: dict[str, Any], wanted: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """secrets.schema.json, narrowed to the names and types of a contract.

    Raises ParityError CONTRACT_INVALID for a type that the schema does not
    define or nothing here can make.
    """
    defined = schema.get("$defs", {})
    for name, secret in sorted(wanted.items()):
        if secret.get("type") not in defined or secret["type"] not in TYPES:
            raise ParityError(
                "CONTRACT_INVALID",
                f"secrets.{name}.type: must be one of {', '.join(sorted(set(defined) & set(TYPES)))}",
            )
    return {
        "$schema": schema.get("$schema", "https://json-schema.org/draft/2020-12/schema"),
        "$defs": defined,
        "type": "object",
        "additionalProperties": False,
        "properties": {name: {"$ref": f"#/$defs/{secret['type']}"} for name, secret in wanted.items()},
    }


def is_weak(type_: str, value: str) -> bool:
    """Whether a value of the right shape was plainly not drawn at random."""
    return len(set(base64.b64decode(value) if type_ == "key256" else value)) < DISTINCT
