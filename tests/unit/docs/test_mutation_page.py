# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of the mutants says what was measured, and why each survivor lives."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().with_name("update_mutation.py")
CHECKOUT = SCRIPT.parents[3]
ROOMS = tomllib.loads((CHECKOUT / "tests" / "mutation" / "rooms.toml").read_text(encoding="utf-8"))


def test_the_tables_are_current() -> None:
    done = subprocess.run([sys.executable, str(SCRIPT), "--check"], check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stderr}run .venv/bin/python tests/unit/docs/update_mutation.py"


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_modules_and_tests(room: str) -> None:
    for pattern in ROOMS[room]["modules"]:
        assert list(CHECKOUT.glob(pattern)), pattern
    for test in ROOMS[room]["tests"]:
        assert (CHECKOUT / test.removeprefix("--ignore=")).exists(), test
