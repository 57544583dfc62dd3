# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which checks a run makes: every role's that has a service in the contract, in order of dependency."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import EVERYWHERE, PLATFORM, Check, target_of
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.parse import load, provided, require_coverage
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

# The first failure in this order is the one that explains the others.
_ORDER = ("cluster", "compose", "secrets", "ingress", "data_stores", "identity", "async_services", "artifacts", "control_plane")
# Roles that have checks and no service: everywhere, and for one target.
_WITHOUT_SERVICE = ("secrets",)
_OF_TARGET = {"compose": ("compose",)}


def checks_files(roles_dir: Path, contract: dict[str, Any]) -> list[Path]:
    """The checks.yml of each role that the contract's lane and target need."""
    needed = {str(service["role"]) for service in contract["services"].values()}
    needed |= {*_WITHOUT_SERVICE, *_OF_TARGET.get(target_of(contract), ())}
    order = {name: index for index, name in enumerate(_ORDER)}
    roles = sorted(needed, key=lambda name: (order.get(name, len(order)), name))
    return [roles_dir / role / "files" / "checks.yml" for role in roles]


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
        return "/".join(path.parts[-4:])

    checks = load(files, contract, show)
    ours = [name for name in components or contract["services"] if name != PLATFORM and not provided(contract, name)]
    require_coverage(checks, ours)
    return [check for check in checks if not components or check.component in components]


def of_phase(checks: Sequence[Check], phase: str) -> list[Check]:
    """The checks of a phase: ``up`` waits for its own, ``validate`` makes them all."""
    return [check for check in checks if phase == "validate" or check.phase == phase]
