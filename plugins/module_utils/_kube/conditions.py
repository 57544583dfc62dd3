# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditions of an object's status, as the API conventions of Kubernetes define them."""

from __future__ import annotations

from typing import Any


def holds(obj: dict[str, Any], condition: str) -> bool:
    """Whether the status of an object says that a condition is True; one that is missing or Unknown does not hold."""
    found = (obj.get("status") or {}).get("conditions") or []
    return any((one.get("type"), one.get("status")) == (condition, "True") for one in found)
