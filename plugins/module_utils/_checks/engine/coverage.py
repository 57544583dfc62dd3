# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the checks of a component must prove at least, by what the contract says of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import SHARED, Check, target_of
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

_READY_IN_UP = "ready in phase up"
# The one type that compares what was delivered with the run's.
_COMPARED = "config by type configuration"


def required_proofs(contract: dict[str, Any], component: str) -> list[str]:
    """What must be proved: readiness, and of what a component declares the rest.

    Of a platform that runs elsewhere only endpoints are seen: each needs an answer and a certificate.
    """
    if target_of(contract) in SHARED:
        public = any(endpoint["service"] == component for endpoint in contract["endpoints"].values())
        return ["ingress", "security"] if public else []
    declared = contract["services"][component]
    proofs = [_READY_IN_UP, "ready"]
    proofs += ["ingress"] if declared.get("ports") else []
    proofs += ["config"] if declared.get("settings") or declared.get("secrets") else []
    return proofs + ([_COMPARED] if declared.get("certificates") else [])


def require_coverage(checks: Iterable[Check], contract: dict[str, Any], components: Iterable[str]) -> None:
    """Fail closed: every component has the checks that `required_proofs` names.

    Raises ParityError ``CHECK_MISSING`` that names every gap.
    """
    proofs: dict[str, set[str]] = {}
    for check in checks:
        proofs.setdefault(check.component, set()).add(check.proves)
        if check.phase == "up" and check.proves == "ready":
            proofs[check.component].add(_READY_IN_UP)
        if check.type == "configuration":
            proofs[check.component].add(_COMPARED)
    gaps = {
        name: missing
        for name in components
        if (missing := [proof for proof in required_proofs(contract, name) if proof not in proofs.get(name, set())])
    }
    if gaps:
        seen = "; ".join(f"{name} has no check that proves {', '.join(missing)}" for name, missing in gaps.items())
        raise ParityError("CHECK_MISSING", f"{seen} on {target_of(contract)}", details={"missing": gaps})
