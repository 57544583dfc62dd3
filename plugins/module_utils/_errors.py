"""The one exception that a user-facing failure is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._reasons import REASONS


@dataclass
class ParityError(Exception):
    """A failure that a user can act on.

    ``reason`` is a stable id from the reason table, ``seen`` says what was
    observed, ``do`` is what to type next (the table's advice when empty),
    and ``details`` is data for the diagnosis bundle, free of secrets.
    """

    reason: str
    seen: str
    do: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = REASONS[self.reason]
        self.do = self.do or known.do

    def __str__(self) -> str:
        return f"{self.reason}: {self.seen}\n  -> {self.do}"
