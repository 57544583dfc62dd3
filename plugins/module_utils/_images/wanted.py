# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which images a lane runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# In a Compose project the container that hands out the files runs on the base alone.
_BASE = "base"


def wanted(contract: Mapping[str, Any]) -> list[str]:
    """The images of a resolved contract's components, of those that the mode deploys, sorted."""
    deployed = (service for service in contract["services"].values() if "provided_by" not in service)
    names = {service["image"] for service in deployed if "image" in service}
    return sorted(names | ({_BASE} if contract.get("target") == "compose" else set()))
