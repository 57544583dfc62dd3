# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which checks a run makes: the platform's and those of every component in the contract, in order of dependency."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.coverage import require_coverage
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.entries import read_entries
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import PLATFORM, SHARED, Check, target_of
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.parse import parse, provided
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import Platform
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError


def by_need(services: dict[str, Any]) -> list[str]:
    """Names of components, each after those that it needs; in the order of the contract's lane where need leaves it open."""
    ordered: dict[str, None] = {}

    def visit(name: str) -> None:
        if name in services and name not in ordered:
            for needed in services[name].get("needs", ()):
                visit(needed)
            ordered[name] = None

    for name in services:
        visit(name)
    return list(ordered)


def collect(platform: Platform, contract: dict[str, Any], components: Sequence[str] = ()) -> list[Check]:
    """The checks of a rendered contract, or those of some components; coverage is demanded of these.

    The first failure in their order is the one that explains the others: what a component needs comes before it.
    A component that the mode's surroundings provide (``provided_by``) has no checks, and none are demanded.

    Raises ParityError ``CHECKS_INVALID``, ``CHECK_MISSING``, and ``CONTRACT_NOT_RENDERED`` for a contract of another
    platform.
    """
    services = contract["services"]
    foreign = [name for name in services if name not in platform.components]
    if foreign:
        raise ParityError("CONTRACT_NOT_RENDERED", f"the rendered contract has {', '.join(foreign)}, which {platform.folder} has not")
    known = [*services, PLATFORM]
    unknown = [name for name in components if name not in known]
    if unknown:
        raise ParityError("CHECKS_INVALID", f"no component {', '.join(unknown)}; there are {', '.join(known)}")
    checks = parse(read_entries(platform, by_need(services)), contract)
    ours = [name for name in components or services if name != PLATFORM and not provided(contract, name)]
    require_coverage(checks, contract, ours)
    return [check for check in checks if not components or check.component in components]


def refuse_shared(contract: dict[str, Any]) -> None:
    """Raise ParityError ``MODE_TARGET_REFUSED`` for a mode that is not deployed from here."""
    if target_of(contract) in SHARED:
        seen = f"the mode {contract.get('mode')} is not deployed from here: only its endpoints can be looked at"
        raise ParityError("MODE_TARGET_REFUSED", seen)


def of_phase(checks: Sequence[Check], phase: str) -> list[Check]:
    """The checks of a phase: ``up`` waits for its own, ``validate`` makes them all."""
    return [check for check in checks if phase == "validate" or check.phase == phase]
