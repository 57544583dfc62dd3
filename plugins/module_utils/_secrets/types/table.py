# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every type of secret by the name that a contract gives it."""

from __future__ import annotations

import secrets

from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.types.keyring import KEYRING
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.types.model import SecretType
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.types.text import KEY, PASSWORD

TYPES: dict[str, SecretType] = {"password": PASSWORD, "key": KEY, "keyring": KEYRING}


def make(type_: str) -> str:
    """A first value of a type, from the operating system's generator."""
    return TYPES[type_].renew(None, random_part(type_))


def random_part(type_: str) -> str:
    """What a rotation brings to a value of a type, from the operating system's generator."""
    return TYPES[type_].encode(secrets.token_bytes(TYPES[type_].size))
