# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which failed check is the cause and which a consequence: a component cannot be right while one that it needs is not reached."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Check

PROVES = ("ready", "ingress", "config", "security", "function")
# What others rely on: that it runs, and that it is reached.
_RELIED_ON = ("ready", "ingress")


def needed_by(services: Mapping[str, Any], name: str) -> frozenset[str]:
    """All that a component needs, and what these need; itself is not among them."""
    found: set[str] = set()
    ahead = [name]
    while ahead:
        service = services.get(ahead.pop()) or {}
        new = set(service.get("needs", ())) - found
        found |= new
        ahead += new
    return frozenset(found - {name})


def by_cause(failed: Iterable[Check]) -> Callable[[Check], tuple[bool, int]]:
    """The key that sorts failed checks so that those come first that explain the others.

    A component that needs one which is not ready or not reached is a consequence. Of the causes readiness comes before
    all else. What is left open is for the order of the checks, which is that of dependency.
    """
    missing = {check.component for check in failed if check.proves in _RELIED_ON}
    return lambda check: (not missing.isdisjoint(check.needs), PROVES.index(check.proves))
