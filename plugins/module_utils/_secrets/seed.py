# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets out of a seed: the same ones wherever the same seed is given."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import hashes, hkdf
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.private import Refusal, read_private
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.types import DISTINCT, TYPES

SHORTEST = 32
"""Bytes that a seed has at least; SHA-256 yields no more than it is given."""

# A change of how values are derived changes this, so that it cannot pass unnoticed.
_SALT = b"gpuaas.parity secrets 1"


def read_seed(path: Path | None) -> bytes:
    """The content of a seed file without the space around it.

    Raises ParityError: SEED_MISSING, SEED_PERMISSIONS, SEED_WEAK.
    """
    if path is None:
        raise ParityError("SEED_MISSING", "tier ci derives secrets from a seed, and no file with one was named")
    data = read_private(path, Refusal("SEED_PERMISSIONS", "SEED_MISSING"))
    if data is None:
        raise ParityError("SEED_MISSING", f"{path} does not exist")
    seed = data.strip()
    if len(seed) < SHORTEST:
        raise ParityError("SEED_WEAK", f"{path} holds {len(seed)} bytes, a seed has at least {SHORTEST}")
    if len(set(seed)) < DISTINCT:
        raise ParityError("SEED_WEAK", f"{path} repeats a few characters")
    return seed


def derive(seed: bytes, name: str, type_: str) -> str:
    """The secret of that name and type: hkdf.HKDF with SHA-256 (RFC 5869), info ``<type> <name>``."""
    made = TYPES[type_]
    return made.encode(hkdf.HKDF(hashes.SHA256(), made.size, _SALT, f"{type_} {name}".encode()).derive(seed))
