# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of the doctor: a place to look at, a finding, a mode's condition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

COMPOSE, KIND = "compose", "kind"
# The modes that run on this machine; the others are rendered, compared and looked at from here.
LOCAL = (COMPOSE, KIND)


@dataclass(frozen=True)
class Place:
    """What is examined: the checkout ``root``, its platform, where the modes keep their state, and what kind asks of the machine.

    ``compose_dir`` is where a Compose project is rendered, ``instance`` the name of the instance. Sizes in GiB.
    """

    root: Path
    platform: Path
    state_root: Path
    compose_dir: Path
    lane: str
    cluster: str
    instance: str = ""
    disk_build_gib: float = 12.0
    disk_run_gib: float = 4.0
    memory_gib: float = 3.0

    def state_dir(self, mode: str) -> Path:
        """Where a mode keeps what it owns."""
        return self.state_root / mode


@dataclass(frozen=True)
class Finding:
    """What stops a mode: a reason id, what was seen, what to type."""

    reason: str
    seen: str
    do: str

    @classmethod
    def of(cls, error: ParityError) -> Finding:
        """A failure that was met while looking."""
        return cls(error.reason, error.seen, error.do)

    def as_dict(self) -> dict[str, str]:
        """Plain data."""
        return {"reason": self.reason, "seen": self.seen, "do": self.do}


@dataclass
class Condition:
    """A mode: what stops it, and notes on what it would do by itself. ``contract`` is its rendering, if it renders."""

    mode: str
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    contract: dict[str, Any] | None = None

    @property
    def ready(self) -> bool:
        return not self.findings

    def look(self, question: Callable[[], None]) -> None:
        """Ask something of the machine; what it refuses is a finding."""
        try:
            question()
        except ParityError as error:
            self.add(error)

    def add(self, error: ParityError) -> None:
        """Keep a finding, once."""
        finding = Finding.of(error)
        if finding not in self.findings:
            self.findings.append(finding)

    def has(self, reason: str) -> bool:
        """Whether a finding has that reason."""
        return any(finding.reason == reason for finding in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {"ready": self.ready, "findings": [finding.as_dict() for finding in self.findings], "notes": list(self.notes)}
