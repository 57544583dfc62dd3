# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of the checks: what a check is, what it needs, what it says."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import httpx

if TYPE_CHECKING:
    from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.tokens import Tokens
    from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import Project
    from ansible_collections.gpuaas.parity.plugins.module_utils._drift.rows import Row
    from ansible_collections.gpuaas.parity.plugins.module_utils._kube.snapshot import Snapshot
    from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Completed
    from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker

Phase = Literal["up", "validate"]
PLATFORM = "platform"  # the component of checks that are about all of them
# Where a check can hold: a cluster of this machine, a Compose project of this machine, and a platform that runs
# elsewhere, of which only the public endpoints are seen, and only by reading.
KUBERNETES, COMPOSE, SHARED = frozenset({"kubernetes"}), frozenset({"compose"}), frozenset({"shared"})
HERE = KUBERNETES | COMPOSE
EVERYWHERE = HERE | SHARED
# Seconds that an endpoint is given for each step of an answer, on this machine and elsewhere.
_PATIENCE, _PATIENCE_ELSEWHERE = 3.0, 5.0


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
    snapshot of the next moment. ``reach`` gives the address at which the platform's host and port are connected to,
    or raises ValueError; ``trust`` gives the TLS settings for it, or raises OSError or ssl.SSLError. ``drift`` compares
    the cluster with the rendering. ``heals`` is whether a check may put right what it finds.
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
    reach: Callable[[str, int], tuple[str, int]]
    trust: Callable[[], ssl.SSLContext]
    in_pod: InPod
    drift: Callable[[], Sequence[Row]]
    heals: bool = False

    @property
    def target(self) -> str:
        """Where the platform of the contract runs."""
        return target_of(self.contract)

    @property
    def patience(self) -> float:
        """Seconds that an endpoint is given for each step of an answer."""
        return _PATIENCE_ELSEWHERE if self.target in SHARED else _PATIENCE

    @property
    def ca_file(self) -> Path:
        """The local CA, the only one that an endpoint may be signed by."""
        return self.state_dir / "tls" / "ca.crt"

    def service(self, name: str) -> dict[str, Any]:
        """A service of the contract; KeyError when the contract has none of that name."""
        found: dict[str, Any] = self.contract["services"][name]
        return found


def target_of(contract: dict[str, Any]) -> str:
    """Where the platform of a rendered contract runs: ``kubernetes``, also where it says none, ``compose`` or ``shared``.

    What is rendered for ``gitops`` runs elsewhere, in the hands of others.
    """
    target = str(contract.get("target") or "kubernetes")
    return "shared" if target == "gitops" else target


def hosts_of(contract: dict[str, Any]) -> list[str]:
    """The public names of a rendered contract."""
    return [str(endpoint["host"]) for endpoint in contract["endpoints"].values()]


class InPod(Protocol):
    """Runs a program in a container of a pod of our own cluster."""

    def __call__(self, namespace: str, pod: str, container: str, command: Sequence[str], timeout: float) -> Completed:
        """Wait at most ``timeout`` seconds for its end. Raises ParityError."""


class CheckType(Protocol):
    """One type of check, its arguments being its fields. ``targets`` is where it can be made."""

    targets: ClassVar[frozenset[str]]

    def run(self, context: Context) -> Observation:
        """Look once, bounded in time. What it raises makes the check fail."""


@dataclass(frozen=True)
class Check:
    """One entry of a checks.yml. ``budget`` is the seconds `up` gives it, None for the run's own.

    ``gate`` is the validation of gates.yml that it belongs to, empty when no gate demands it. ``needs`` is all that its
    component needs, directly or not.
    """

    id: str
    component: str
    proves: str
    phase: Phase
    type: str
    body: CheckType
    budget: float | None = None
    gate: str = ""
    needs: frozenset[str] = frozenset()


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
            "type": self.check.type,
            "ok": self.ok,
            "seen": self.seen,
            "reason": self.reason,
            "do": self.do,
            "seconds": round(self.seconds, 3),
            "attempts": self.attempts,
            "details": self.details,
        }
