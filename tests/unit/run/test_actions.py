# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every action uses what its base has, also in branches that only another machine takes."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

ACTIONS = sorted((Path(__file__).resolve().parents[3] / "plugins" / "action").glob("[a-z]*.py"))


@pytest.mark.parametrize("path", ACTIONS, ids=lambda path: path.stem)
def test_what_an_action_uses_of_itself_exists(path: Path) -> None:
    module = importlib.import_module(f"ansible_collections.gpuaas.parity.plugins.action.{path.stem}")
    used, made = set(), set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
            (made if isinstance(node.ctx, ast.Store) else used).add(node.attr)
    assert {name for name in used - made if not hasattr(module.ActionModule, name)} == set()
