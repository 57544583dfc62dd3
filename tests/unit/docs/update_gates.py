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

CHECKOUT = Path(__file__).resolve().parents[3]
PAGE = CHECKOUT / "docs" / "gates.md"


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


def replaced(text: str, name: str, table: str) -> str:
    """``text`` with ``table`` between the markers ``name``."""
    head, begin, rest = text.partition(f"<!-- {name}: ")
    marker, _separator, body = rest.partition("\n")
    _old, end, tail = body.partition(f"<!-- /{name} -->")
    if not begin or not end:
        raise SystemExit(f"{PAGE}: the markers {name} are gone")
    return f"{head}{begin}{marker}\n\n{table}\n\n{end}{tail}"


def updated(text: str) -> str:
    """The page with its current tables."""
    gates = load_gates(load_platform(CHECKOUT / "platform"))
    return replaced(replaced(text, "gates", demanded(gates)), "ungated", not_demanded(gates))


def main() -> int:
    """Bring the page up to date, or say that it is not."""
    before = PAGE.read_text(encoding="utf-8")
    after = updated(before)
    if "--check" in sys.argv[1:]:
        return int(before != after)
    PAGE.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
