# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the tables of reason ids in docs/runbook.md: from _reasons.py, and from the control plane's own.

.venv/bin/python tests/unit/docs/update_reasons.py [--check]

With --check nothing is written; the exit status says whether the tables are current.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._advice import Commands
from ansible_collections.gpuaas.parity.plugins.module_utils._reasons import REASONS
from tables import update

CHECKOUT = Path(__file__).resolve().parents[3]
RUNBOOK = CHECKOUT / "docs" / "runbook.md"
REFUSAL = CHECKOUT / "control_plane" / "src" / "gpuaas" / "encryption" / "refusal.py"
JOURNAL = CHECKOUT / "control_plane" / "src" / "gpuaas" / "journal" / "reasons.py"


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


def refusals() -> str:
    """Every reason for which the control plane seals, opens or wraps nothing, or does not start. The file needs no package."""
    found = importlib.util.spec_from_file_location("refusal", REFUSAL)
    assert found
    assert found.loader
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    rows = [f"| `{reason}` | {_cell(advice)} |" for reason, advice in sorted(module.ADVICE.items())]
    return "\n".join(["| id | do this |", "|---|---|", *rows])


def journal() -> str:
    """What can be wrong with the journal, in the order of its module, which needs no package."""
    found = importlib.util.spec_from_file_location("reasons_of_the_journal", JOURNAL)
    assert found
    assert found.loader
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module  # a dataclass looks there for its module
    found.loader.exec_module(module)
    rows = [f"| `{reason}` | {_cell(said.means)} | {_cell(said.do)} |" for reason, said in module.REASONS.items()]
    return "\n".join(["| reason | means | do |", "|---|---|---|", *rows])


if __name__ == "__main__":
    sys.exit(update(RUNBOOK, {"reasons": table(), "refusals": refusals(), "journal": journal()}))
