# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``kind create cluster`` is at, from what it prints."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import Emit, Wait

# Without a terminal kind prints " • step  ..." when a step begins and " ✓ step" or
# " ✗ step" when it ends (kind:pkg/internal/cli/status.go); emoji decorate the steps.
_STEP = re.compile(r"^\s*(?P<mark>[•✓✗])\s*(?P<step>.*?)\s*(?:\.\.\.)?\s*$")
_DECORATION = re.compile(r"[^\x20-\x7e≤]+")


class KindProgress:
    """Turns kind's lines into events of the wait for the cluster ``name``."""

    def __init__(self, name: str, emit: Emit, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._emit = emit
        self._monotonic = monotonic
        self._begun = monotonic()
        self.step = ""

    def line(self, line: str) -> None:
        """Take one line of kind's output; what is not a step goes to the log only."""
        found = _STEP.match(line)
        if not found:
            return
        step = " ".join(_DECORATION.sub(" ", found["step"]).split()).lower()
        if found["mark"] == "✓" or not step:
            return
        self.step = step
        failed = " FAILED" if found["mark"] == "✗" else ""
        self._emit(Wait(f"cluster {self._name}", round(self._monotonic() - self._begun, 1), f"{step}{failed}"))
