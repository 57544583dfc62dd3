# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which checks a run makes: every role's that has a service in the contract, in order of dependency."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.model import PLATFORM, Check
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.parse import load, require_coverage

# The first failure in this order is the one that explains the others.
_ORDER = ("cluster", "secrets", "ingress", "data_stores", "identity", "async_services", "artifacts", "control_plane")
# Roles that have checks and no service.
_WITHOUT_SERVICE = ("secrets",)


def checks_files(roles_dir: Path, contract: dict[str, Any]) -> list[Path]:
    """The checks.yml of each role that the contract's lane needs."""
    needed = {str(service["role"]) for service in contract["services"].values()} | set(_WITHOUT_SERVICE)
    order = {name: index for index, name in enumerate(_ORDER)}
    roles = sorted(needed, key=lambda name: (order.get(name, len(order)), name))
    return [roles_dir / role / "files" / "checks.yml" for role in roles]


def collect(contract: dict[str, Any], files: Sequence[Path], components: Sequence[str] = ()) -> list[Check]:
    """The checks of files for the lane, or for some components of it; coverage is demanded of these.

    Raises ParityError ``CHECKS_INVALID`` or ``CHECK_MISSING``.
    """
    known = [*contract["services"], PLATFORM]
    unknown = [name for name in components if name not in known]
    if unknown:
        raise ParityError("CHECKS_INVALID", f"no component {', '.join(unknown)}; there are {', '.join(known)}")

    def show(path: Path) -> str:
        return "/".join(path.parts[-4:])

    checks = load(files, contract, show)
    require_coverage(checks, [name for name in components or contract["services"] if name != PLATFORM])
    return [check for check in checks if not components or check.component in components]


def of_phase(checks: Sequence[Check], phase: str) -> list[Check]:
    """The checks of a phase: ``up`` waits for its own, ``validate`` makes them all."""
    return [check for check in checks if phase == "validate" or check.phase == phase]
