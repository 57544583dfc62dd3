# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images of one lane, from the arguments of the image module."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import load_platform
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.resolved import load_resolved
from ansible_collections.gpuaas.parity.plugins.module_utils._images import source
from ansible_collections.gpuaas.parity.plugins.module_utils._images.assemble import catalog_of
from ansible_collections.gpuaas.parity.plugins.module_utils._images.supply import Supply
from ansible_collections.gpuaas.parity.plugins.module_utils._images.wanted import wanted


def supply_of(params: dict[str, Any]) -> Supply:
    """The supply of what ``contract`` runs, from the images of ``platform`` and those that ``root`` shares."""
    cache = Path(params["cache"]).expanduser()
    catalog = source.at(params["registry"], catalog_of(load_platform(Path(params["platform"])), Path(params["root"])))
    origin = source.decide(params["source"], catalog, cache)
    return Supply(
        catalog=source.pulled(catalog) if origin == "pull" else catalog,
        cache=cache,
        lane=wanted(load_resolved(params["contract"])),
        node=params["node"],
        facts=platform.machine(),
        pulls=params["source"] != "build",
    )
