# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an extended platform says of a component that is left out is left out with it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.source import File


def without_members(file: File, names: Collection[str]) -> File:
    """A platform.yml whose lanes and options do not have the components ``names``."""
    found = {kind: dict(said) for kind in ("lanes", "options") if (said := _mapping(_mapping(file.data).get(kind)))}
    for kind, all_of_kind in found.items():
        for one, said in all_of_kind.items():
            if isinstance(members := _mapping(said).get("components"), list):
                found[kind][one] = said | {"components": [name for name in members if name not in names]}
    return file.with_data(file.data | found) if found else file


def without_placement_of(file: File, names: Collection[str]) -> File:
    """A mode's file that places none of the components ``names``."""
    placement = _mapping(_mapping(file.data).get("placement"))
    kept = {name: said for name, said in placement.items() if name not in names}
    return file.with_data(file.data | {"placement": kept}) if placement else file


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
