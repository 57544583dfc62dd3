# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One calm line for each step of ``kind create cluster``."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

# Without a terminal kind prints " • step  ..." when a step begins and " ✓ step" or
# " ✗ step" when it ends (kind:pkg/internal/cli/status.go); emoji decorate the steps.
_STEP = re.compile(r"^\s*(?P<mark>[•✓✗])\s*(?P<step>.*?)\s*(?:\.\.\.)?\s*$")
_DECORATION = re.compile(r"[^\x20-\x7e≤]+")


class KindProgress:
    """Turns kind's lines into ``show`` lines with the time since the creation began."""

    def __init__(self, name: str, show: Callable[[str], None], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._show = show
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
        self._show(f"  cluster {self._name}: {step}{failed} ({self._monotonic() - self._begun:.0f} s)")
