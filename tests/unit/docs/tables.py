# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generated tables of a page, each between markers of its name: ``<!-- name: ... -->`` and ``<!-- /name -->``."""

from __future__ import annotations

import sys
from pathlib import Path


def replaced(page: Path, text: str, name: str, table: str) -> str:
    """``text`` of ``page`` with ``table`` between the markers ``name``."""
    head, begin, rest = text.partition(f"<!-- {name}: ")
    marker, _separator, body = rest.partition("\n")
    _old, end, tail = body.partition(f"<!-- /{name} -->")
    if not begin or not end:
        raise SystemExit(f"{page}: the markers {name} are gone")
    return f"{head}{begin}{marker}\n\n{table}\n\n{end}{tail}"


def update(page: Path, tables: dict[str, str]) -> int:
    """Bring ``page`` up to date; with --check among the arguments only say, as the exit status, whether it is."""
    before = after = page.read_text(encoding="utf-8")
    for name, table in tables.items():
        after = replaced(page, after, name, table)
    if "--check" in sys.argv[1:]:
        return int(before != after)
    page.write_text(after, encoding="utf-8")
    return 0
