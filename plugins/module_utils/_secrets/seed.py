# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file with the seed that every secret of tier ci follows from."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.private import Refusal, read_private
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.types.model import DISTINCT

SHORTEST = 32
"""Bytes that a seed has at least; SHA-256 yields no more than it is given."""


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
