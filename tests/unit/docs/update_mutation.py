# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the tables of docs/mutation.md from what tests/mutation/run.py measured and the reasons of the survivors.

.venv/bin/python tests/unit/docs/update_mutation.py [--check]

With --check nothing is written; the exit status says whether the tables are current. A survivor without a reason, and a
reason without a survivor, are refused.
"""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from typing import Any

from tables import update

CHECKOUT = Path(__file__).resolve().parents[3]
MUTATION = CHECKOUT / "tests" / "mutation"


def load() -> tuple[dict[str, Any], dict[str, str]]:
    """What was measured, by room, and why each survivor lives, by its id."""
    measured = json.loads((MUTATION / "measured.json").read_text(encoding="utf-8"))
    return measured, tomllib.loads((MUTATION / "reasons.toml").read_text(encoding="utf-8"))


def scores(measured: dict[str, Any]) -> str:
    """A row for each room."""
    rows = ["| room | mutants | tried | killed | survived |", "|---|---:|---:|---:|---:|"]
    for room, score in measured.items():
        rows.append(f"| {room} | {score['mutants']} | {score['tried']} | {score['killed']} | {len(score['survivors'])} |")
    sums = [sum(score[name] for score in measured.values()) for name in ("mutants", "tried", "killed")]
    return "\n".join([*rows, f"| **all** | {sums[0]} | {sums[1]} | {sums[2]} | {sums[1] - sums[2]} |"])


def survivors(measured: dict[str, Any], reasons: dict[str, str]) -> str:
    """A row for each mutant that no test killed."""
    left = {one["id"]: one for score in measured.values() for one in score["survivors"]}
    if wrong := sorted(set(left) ^ set(reasons)):
        raise SystemExit(f"{MUTATION / 'reasons.toml'}: no reason for a survivor, or no survivor for a reason: {', '.join(wrong)}")
    rows = ["| id | where | line | mutant | why it lives |", "|---|---|---|---|---|"]
    for name, one in sorted(left.items(), key=lambda entry: (entry[1]["module"], entry[1]["was"], entry[0])):
        module = one["module"].removeprefix("plugins/module_utils/").removeprefix("control_plane/src/")
        where = f"{module} {one['in']}".strip()
        was, becomes = (f"`{one[key]}`".replace("|", "\\|") for key in ("was", "becomes"))
        rows.append(f"| {name} | {where} | {was} | {becomes} | {reasons[name]} |")
    return "\n".join(rows)


if __name__ == "__main__":
    measured, reasons = load()
    tables = {"scores": scores(measured), "survivors": survivors(measured, reasons)}
    sys.exit(update(CHECKOUT / "docs" / "mutation.md", tables))
