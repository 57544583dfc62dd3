# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the tables of docs/gates.md from platform/gates.yml and every checks.yml.

.venv/bin/python tests/unit/docs/update_gates.py [--check]

With --check nothing is written; the exit status says whether the tables are current.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import load_platform
from ansible_collections.gpuaas.parity.plugins.module_utils._gates.gates import Gates, load_gates
from tables import update

CHECKOUT = Path(__file__).resolve().parents[3]


def demanded(gates: Gates) -> str:
    """Every validation with the checks that belong to it."""
    rows = ["| validation | says | checks | mode | before | why it moved |", "|---|---|---|---|---|---|"]
    for one in gates.validations:
        what = ", ".join(f"`{name}`" for name in one.checks) or "equality of all modes"
        rows.append(f"| {one.name} | {one.says} | {what} | {one.mode or 'none'} | {', '.join(one.before)} | {one.why} |")
    return "\n".join(rows)


def not_demanded(gates: Gates) -> str:
    """Every check that no gate demands, with the reason."""
    rows = ["| check | holds on | why no gate demands it |", "|---|---|---|"]
    return "\n".join([*rows, *(f"| `{one.id}` | {', '.join(sorted(one.targets))} | {one.ungated} |" for one in gates.ungated)])


if __name__ == "__main__":
    gates = load_gates(load_platform(CHECKOUT / "platform"))
    sys.exit(update(CHECKOUT / "docs" / "gates.md", {"gates": demanded(gates), "ungated": not_demanded(gates)}))
