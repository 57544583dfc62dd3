# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values out of other values, by HKDF-SHA256 (RFC 5869): of a seed, and of a secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import hashes, hkdf
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.types.table import TYPES
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.types.text import KEY

# A change of how values are derived changes this, so that it cannot pass unnoticed.
_SALT = b"gpuaas.parity secrets 1"


def expand(source: bytes, size: int, info: str) -> bytes:
    """``size`` bytes for the use that ``info`` names; those of another use tell nothing of them."""
    return hkdf.HKDF(hashes.SHA256(), size, _SALT, info.encode()).derive(source)


def derive(source: bytes, name: str, type_: str) -> str:
    """The secret of that name and type, with ``<type> <name>`` as info."""
    kind = TYPES[type_]
    return kind.renew(None, kind.encode(expand(source, kind.size, f"{kind.context} {name}")))


def with_derived(values: Mapping[str, str], wanted: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """``values``, and what follows from them by ``derived_from`` of a contract without faults."""
    found = {name: value for name, value in values.items() if "derived_from" not in wanted[name]}

    def value(name: str) -> str | None:
        parent = wanted[name].get("derived_from")
        if name not in found and parent is not None and (source := value(parent)) is not None:
            found[name] = derive(KEY.read(source), name, wanted[name]["type"])
        return found.get(name)

    for name in wanted:
        value(name)
    return found
