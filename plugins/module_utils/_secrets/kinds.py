# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kinds of secrets: how one is made, and what the contract's file must hold."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

# 32 characters of 6 bits: 192 bits. NIST SP 800-63B asks for 112 of a look-up secret.
_PASSWORD_BYTES = 24
# Of 32 random characters fewer than ten distinct ones do not happen; of typed ones they do.
_DISTINCT = 10


def make(kind: str) -> str:
    """A new value of ``kind`` from the operating system's generator."""
    return _MAKERS[kind]()


def narrowed(schema: dict[str, Any], wanted: dict[str, dict[str, str]]) -> dict[str, Any]:
    """secrets.schema.json, narrowed to the names and kinds of a contract.

    Raises ParityError CONTRACT_INVALID for a kind that the schema does not
    define or nothing here can make.
    """
    defined = schema.get("$defs", {})
    for name, secret in sorted(wanted.items()):
        if secret.get("kind") not in defined or secret["kind"] not in _MAKERS:
            raise ParityError(
                "CONTRACT_INVALID",
                f"secrets.{name}.kind: must be one of {', '.join(sorted(set(defined) & set(_MAKERS)))}",
            )
    return {
        "$schema": schema.get("$schema", "https://json-schema.org/draft/2020-12/schema"),
        "$defs": defined,
        "type": "object",
        "additionalProperties": False,
        "properties": {name: {"$ref": f"#/$defs/{secret['kind']}"} for name, secret in wanted.items()},
    }


def is_weak(kind: str, value: str) -> bool:
    """Whether a value of the right shape was plainly not drawn at random."""
    if kind == "key256":
        return len(set(base64.b64decode(value))) < _DISTINCT
    return len(set(value)) < _DISTINCT


def _password() -> str:
    return secrets.token_urlsafe(_PASSWORD_BYTES)


def _key256() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


_MAKERS: dict[str, Callable[[], str]] = {"password": _password, "key256": _key256}
