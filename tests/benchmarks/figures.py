"""A figure of the benchmarks: what was measured against what; and how a benchmark shows what it measured."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HEADER = f"{'':<52} {'ours':>9} {'theirs':>9} {'':<5} {'ratio':>6}  {'aim':>7}"


@dataclass(frozen=True)
class Figure:
    """What was measured against what, and the ratio that is aimed at."""

    what: str
    ours: float
    theirs: float
    aim: float
    unit: str = "s"

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs

    def __str__(self) -> str:
        verdict = "held" if self.ratio <= self.aim else "MISSED"
        numbers = f"{self.ours:9.2f} {self.theirs:9.2f} {self.unit:<5} {self.ratio:6.2f}  <= {self.aim:4.2f}"
        return f"{self.what:<52} {numbers}  {verdict}"


def publish(result: dict[str, Any], file: Path) -> None:
    """Write a benchmark's data, and print its table under the heading of figures."""
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"\n{HEADER}")
    print(*result["table"], sep="\n")
    print(f"\ndata: {file}")
