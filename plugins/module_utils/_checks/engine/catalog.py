# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which checks a run makes: the platform's and those of every component in the contract, in order of dependency."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import EVERYWHERE, PLATFORM, Check, target_of
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.parse import load, provided, require_coverage
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import Platform
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

_FILE = "checks.yml"


def checks_files(platform: Platform, contract: dict[str, Any]) -> list[Path]:
    """The checks.yml of the platform and of each component in the rendered contract, in order of dependency.

    The first failure in this order is the one that explains the others: what a component needs comes before it.
    """
    of_platform = [folder / _FILE for folder in platform.folders if (folder / _FILE).is_file()]
    return [*of_platform, *(platform.components[name].folder / _FILE for name in by_need(contract["services"]))]


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


def collect(contract: dict[str, Any], files: Sequence[Path], components: Sequence[str] = ()) -> list[Check]:
    """The checks of files for the lane and target, or for some components; coverage is demanded of these.

    A component that the mode's surroundings provide (``provided_by``) has no checks, and none are demanded.
    Raises ParityError ``CHECKS_INVALID``, ``CHECK_MISSING``, and ``MODE_TARGET_REFUSED`` for a mode that is not
    deployed from here.
    """
    if target_of(contract) not in EVERYWHERE:
        raise ParityError(
            "MODE_TARGET_REFUSED", f"the mode {contract.get('mode')} is not deployed from here, so nothing here can be checked"
        )
    known = [*contract["services"], PLATFORM]
    unknown = [name for name in components if name not in known]
    if unknown:
        raise ParityError("CHECKS_INVALID", f"no component {', '.join(unknown)}; there are {', '.join(known)}")

    def show(path: Path) -> str:
        return "/".join(path.parts[-3:])

    checks = load(files, contract, show)
    ours = [name for name in components or contract["services"] if name != PLATFORM and not provided(contract, name)]
    require_coverage(checks, {name: contract["services"][name] for name in ours})
    return [check for check in checks if not components or check.component in components]


def of_phase(checks: Sequence[Check], phase: str) -> list[Check]:
    """The checks of a phase: ``up`` waits for its own, ``validate`` makes them all."""
    return [check for check in checks if phase == "validate" or check.phase == phase]
