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

RUNBOOK = Path(__file__).resolve().parents[3] / "docs" / "runbook.md"
_BEGIN, _END = "<!-- reasons: ", "<!-- /reasons -->"


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


def updated(text: str) -> str:
    """``text`` with the current table between its markers."""
    head, begin, rest = text.partition(_BEGIN)
    marker, _separator, body = rest.partition("\n")
    _old, end, tail = body.partition(_END)
    if not begin or not end:
        raise SystemExit(f"{RUNBOOK}: the markers of the table are gone")
    return f"{head}{begin}{marker}\n\n{table()}\n\n{end}{tail}"


def main() -> int:
    """Bring the runbook up to date, or say that it is not."""
    before = RUNBOOK.read_text(encoding="utf-8")
    after = updated(before)
    if "--check" in sys.argv[1:]:
        return int(before != after)
    RUNBOOK.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
