# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of the checks: what a check is, what it needs, what it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import httpx

if TYPE_CHECKING:
    from ansible_collections.gpuaas.parity.plugins.module_utils._kube.snapshot import Snapshot
    from ansible_collections.gpuaas.parity.plugins.module_utils._probes.project import Project
    from ansible_collections.gpuaas.parity.plugins.module_utils._probes.tokens import Tokens
    from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker

Phase = Literal["up", "validate"]
PLATFORM = "platform"  # the component of checks that are about all of them
# What a rendering is for; each kind of check says in ``targets`` which of them it serves. None serves ``gitops``:
# what is rendered for that runs elsewhere.
KUBERNETES, COMPOSE = frozenset({"kubernetes"}), frozenset({"compose"})
EVERYWHERE = KUBERNETES | COMPOSE


@dataclass(frozen=True)
class Observation:
    """What a check saw.

    ``reason`` is the reason id of a failure. ``grace`` is None when waiting may help;
    otherwise waiting cannot, and it is the seconds that the same failure must last
    before the wait is given up.
    """

    ok: bool
    seen: str
    reason: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    grace: float | None = None


def passed(seen: str, **details: Any) -> Observation:
    """An observation that is as it should be."""
    return Observation(True, seen, details=details)


def failed(reason: str, seen: str, grace: float | None = None, **details: Any) -> Observation:
    """An observation that is not as it should be."""
    return Observation(False, seen, reason, details, grace)


@dataclass(frozen=True)
class Context:
    """All that a check may use: the contract and its realm, what runs at this moment, and ways to the platform.

    ``snapshot`` is the cluster and ``project`` the Compose project; the one that the target has not refuses to be
    read. ``node`` is the name of the kind node's container. ``clock`` is monotonic seconds. ``renew`` makes the
    snapshot of the next moment.
    """

    contract: dict[str, Any]
    realm: dict[str, Any]
    state_dir: Path
    snapshot: Snapshot
    project: Project
    http: httpx.Client
    docker: Docker
    tokens: Tokens
    secret: Callable[[str], str]
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    node: str
    renew: Callable[[], Snapshot]

    @property
    def target(self) -> str:
        """What the contract was rendered for."""
        return target_of(self.contract)

    @property
    def ca_file(self) -> Path:
        """The local CA, the only one that an endpoint may be signed by."""
        return self.state_dir / "tls" / "ca.crt"

    def service(self, name: str) -> dict[str, Any]:
        """A service of the contract; KeyError when the contract has none of that name."""
        found: dict[str, Any] = self.contract["services"][name]
        return found


def target_of(contract: dict[str, Any]) -> str:
    """The target of a rendered contract: ``kubernetes``, also where it says none, ``compose`` or ``gitops``."""
    return str(contract.get("target") or "kubernetes")


class Kind(Protocol):
    """One kind of check, its arguments being its fields. A class attribute ``targets`` limits where it serves."""

    def run(self, context: Context) -> Observation:
        """Look once, bounded in time. What it raises makes the check fail."""


@dataclass(frozen=True)
class Check:
    """One entry of a role's checks.yml. ``budget`` is the seconds `up` gives it, None for the run's own."""

    id: str
    component: str
    proves: str
    phase: Phase
    kind: str
    body: Kind
    budget: float | None = None


@dataclass
class Result:
    """How a check went, at last: ``seconds`` until its verdict, over ``attempts`` looks."""

    check: Check
    ok: bool
    seen: str
    reason: str
    do: str
    seconds: float
    attempts: int
    details: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The result as plain data, the way the module returns and reports it."""
        return {
            "id": self.check.id,
            "component": self.check.component,
            "proves": self.check.proves,
            "kind": self.check.kind,
            "ok": self.ok,
            "seen": self.seen,
            "reason": self.reason,
            "do": self.do,
            "seconds": round(self.seconds, 3),
            "attempts": self.attempts,
            "details": self.details,
        }
