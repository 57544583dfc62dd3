# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each test that docs/faults.md names for an input or a kill is there, in the file that it names."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[3] / "docs"
NAMED = re.compile(r"\[[a-z_]+\.py\]\(([^)]+)\)|`(test_[a-z_]+)`")


def test_the_tests_are_there() -> None:
    text = (DOCS / "faults.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("|") and "`test_" in line]
    assert len(rows) >= 20
    for row in rows:
        source = ""
        for file, test in NAMED.findall(row):
            if file:
                source = (DOCS / file).read_text(encoding="utf-8")
            else:
                assert f"def {test}(" in source, test
