# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that is wrong with a document, told at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.strict_yaml import Path
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError


def dotted(path: Path) -> str:
    """``services.api.port`` for ("services", "api", "port")."""
    return ".".join(str(part) for part in path)


@dataclass
class Problems:
    """Collects what is wrong; ``refuse`` raises it as one failure."""

    found: list[tuple[str, str]] = field(default_factory=list)

    def add(self, reason: str, where: str, text: str) -> None:
        """Note a problem: reason id, place as ``file: path``, what was seen there."""
        self.found.append((reason, f"{where}: {text}"))

    def refuse(self) -> None:
        """Raise ParityError if anything was noted; the first problem gives the reason id."""
        if not self.found:
            return
        reason = self.found[0][0]
        lines = [text if own == reason else f"{text} ({own})" for own, text in self.found]
        raise ParityError(reason, "\n".join(lines), details={"problems": [{"reason": r, "seen": s} for r, s in self.found]})
