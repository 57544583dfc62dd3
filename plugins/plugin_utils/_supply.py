# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images of one checkout, from the arguments that both image modules share."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._images import source
from ansible_collections.gpuaas.parity.plugins.module_utils._images.catalog import load
from ansible_collections.gpuaas.parity.plugins.module_utils._images.supply import Supply


def supply_of(params: dict[str, Any]) -> Supply:
    """Build the supply that ``root``, ``cache``, ``images`` and ``node`` describe."""
    root = Path(params["root"])
    cache = Path(params["cache"]).expanduser()
    catalog = load(root / "images" / "catalog.yml")
    upstream = source.load(root / "images" / "upstream.yml", params["registry"])
    origin = source.decide(params["source"], upstream, cache)
    return Supply(
        catalog=source.replace(catalog, upstream) if origin == "pull" else catalog,
        root=root,
        cache=cache,
        lane=sorted(set(params["images"])),
        node=params["node"],
        facts=platform.machine(),
    )
