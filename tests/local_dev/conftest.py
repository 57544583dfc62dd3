"""The project under test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .running import ROOT, Running


@pytest.fixture(scope="session")
def running() -> Running:
    """The platform of this checkout, or of ``PARITY_STATE_DIR``."""
    return Running.load(Path(os.environ.get("PARITY_STATE_DIR") or ROOT / ".parity" / "compose"))
