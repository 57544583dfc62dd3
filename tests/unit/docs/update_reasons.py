# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the table of reason ids in docs/runbook.md from _reasons.py.

.venv/bin/python tests/unit/docs/update_reasons.py [--check]

With --check nothing is written; the exit status says whether the table is current.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._advice import Commands
from ansible_collections.gpuaas.parity.plugins.module_utils._reasons import REASONS
from tables import update

RUNBOOK = Path(__file__).resolve().parents[3] / "docs" / "runbook.md"


def _cell(text: str) -> str:
    """``text`` as the cell of a Markdown table, one line, nothing of it markup."""
    for character, escaped in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "\\|"), ("*", "\\*")):
        text = text.replace(character, escaped)
    return " ".join(text.split())


def table() -> str:
    """Every reason, by id, with the commands of kind."""
    rows = [
        f"| `{name}` | {_cell(reason.means)} | {_cell(Commands('kubernetes').fill(reason.do))} |"
        for name, reason in sorted(REASONS.items())
    ]
    return "\n".join(["| id | means | type this |", "|---|---|---|", *rows])


if __name__ == "__main__":
    sys.exit(update(RUNBOOK, {"reasons": table()}))
