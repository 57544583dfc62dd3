# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runbook explains every reason id, and no other."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._advice import Commands
from ansible_collections.gpuaas.parity.plugins.module_utils._reasons import REASONS

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[2]
UPDATE = "run .venv/bin/python tests/unit/docs/update_reasons.py"


def _documented() -> set[str]:
    section = (CHECKOUT / "docs" / "runbook.md").read_text(encoding="utf-8").partition("\n## Reason ids\n")[2]
    return set(re.findall(r"^\| `([A-Z_]+)` \|", section, re.MULTILINE))


def test_every_reason_is_in_the_runbook() -> None:
    assert set(REASONS) - _documented() == set(), UPDATE


def test_the_runbook_has_no_reason_that_does_not_exist() -> None:
    assert _documented() - set(REASONS) == set(), UPDATE


def test_meaning_and_advice_are_the_current_ones() -> None:
    done = subprocess.run([sys.executable, str(HERE / "update_reasons.py"), "--check"], check=False)
    assert done.returncode == 0, UPDATE


def _written() -> set[str]:
    """Every text in the code that could be a reason id."""
    literals = set()
    for path in (CHECKOUT / "plugins").rglob("*.py"):
        if path.name != "_reasons.py":
            nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            literals |= {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {text for text in literals if re.fullmatch(r"[A-Z]+(_[A-Z]+)*", text)}


def _raised() -> set[str]:
    """The reason ids that are raised, told or noted by name."""
    found = set()
    for path in (CHECKOUT / "plugins").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="ParityError" | "failed"), args=[ast.Constant(value=str() as reason), *_]):
                    found.add(reason)
                case ast.Call(func=ast.Attribute(attr="add"), args=[ast.Constant(value=str() as reason), _, _]):
                    found.add(reason)
    return found


def test_every_reason_that_is_raised_is_known() -> None:
    assert _raised() - set(REASONS) == set()
    assert len(_raised()) > len(REASONS) // 2


def test_every_reason_that_is_known_is_raised() -> None:
    assert set(REASONS) - _written() == set()


def test_every_reason_id_in_the_docs_exists() -> None:
    prefixes = {name.partition("_")[0] for name in REASONS}
    unknown = []
    for page in [*CHECKOUT.glob("docs/**/*.md"), *CHECKOUT.glob("roles/*/README.md"), CHECKOUT / "README.md"]:
        text = page.read_text(encoding="utf-8") if page.exists() else ""
        for name in re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", text):
            if name.partition("_")[0] in prefixes and name not in REASONS and name not in _VARIABLES:
                unknown.append(f"{page.relative_to(CHECKOUT)}: {name}")
    assert unknown == []


# Of the shell and of make: they look like reason ids and are none.
_VARIABLES = {"HOST_UPGRADE", "IMAGES_SOURCE", "INSTANCE_ID"}


def test_every_advice_can_be_typed() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (CHECKOUT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {
        name: {
            found
            for target in ("kubernetes", "compose")
            for found in re.findall(r"make ([a-z]+-[a-z-]+)", Commands(target).fill(reason.do))
        }
        for name, reason in REASONS.items()
    }
    assert {name: found - targets for name, found in named.items() if found - targets} == {}
    assert [name for name, reason in REASONS.items() if not reason.means.strip() or not reason.do.strip()] == []
