"""Whom a plan may strike: the components of a Compose project that is up, who calls whom, and whose clock can be another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.gpuaas.parity.tests.local_dev.running import Running

# Hands the secrets out into memory that goes with its container: it is started by Compose, not by the engine.
_HANDS_OUT = "secrets"
_OURS = "gpuaas-parity/control-plane"


@dataclass(frozen=True)
class Target:
    """Names of components; ``calls`` are pairs of caller and called; ``clocks`` run a program of the control plane."""

    components: Sequence[str]
    calls: Sequence[tuple[str, str]]
    clocks: Sequence[str]


def target_of(project: Running) -> Target:
    """What runs now, in alphabetical order."""
    lasting = sorted(name for name, its in project.containers.items() if its["State"]["Running"] and name != _HANDS_OUT)
    services = project.contract["services"]
    calls = [(name, needed) for name in lasting for needed in services.get(name, {}).get("needs", []) if needed in lasting]
    clocks = [name for name in lasting if str(project.containers[name]["Config"]["Image"]).startswith(_OURS)]
    return Target(lasting, calls, clocks)
