# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each test that docs/faults.md or the runbook names for an input or a kill is there, in the file that it names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[3] / "docs"
NAMED = re.compile(r"\[[a-z_]+\.py\]\(([^)]+)\)|`(test_[a-z_]+)`")


@pytest.mark.parametrize(("page", "least"), [("faults.md", 20), ("runbook.md", 16)])
def test_the_tests_are_there(page: str, least: int) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("|") and "`test_" in line]
    assert len(rows) >= least
    for row in rows:
        source = ""
        for file, test in NAMED.findall(row):
            if file:
                source = (DOCS / file).read_text(encoding="utf-8")
            else:
                assert f"def {test}(" in source, test


def test_what_bad_keys_are_called_is_explained() -> None:
    """Each id of the runbook's table has its row in a table of reasons; a code of the WebSocket has one in its decision."""
    text = (DOCS / "runbook.md").read_text(encoding="utf-8")
    live = (DOCS / "decisions" / "0044-one-live-connection.md").read_text(encoding="utf-8")
    section = text.partition("### Bad keys, envelopes and readers\n")[2].partition("\n## ")[0]
    called = [name for line in section.splitlines() if "`test_" in line for name in re.findall(r"`([a-z_]+)`", line.split(" | ")[1])]
    assert len(called) >= 20
    for name in called:
        assert f"\n| `{name}` |" in text or f"`{name}`" in live, name
