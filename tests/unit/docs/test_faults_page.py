# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of the faults says what the scenario does, and every reason that it waits for exists."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._reasons import REASONS

SCRIPT = Path(__file__).resolve().with_name("update_faults.py")
KNOWN = yaml.safe_load((SCRIPT.parents[2] / "faults" / "faults.yml").read_text(encoding="utf-8"))["faults"]
FAULTS = [fault for faults in KNOWN.values() for fault in faults]


def test_the_table_is_current() -> None:
    done = subprocess.run([sys.executable, str(SCRIPT), "--check"], check=False)
    assert done.returncode == 0, "run .venv/bin/python tests/unit/docs/update_faults.py"


def test_every_reason_exists() -> None:
    assert {reason for fault in FAULTS for reason in fault["seen"]} <= REASONS.keys()


def test_names_tell_faults_apart() -> None:
    for faults in KNOWN.values():
        assert len({fault["name"] for fault in faults}) == len(faults)
