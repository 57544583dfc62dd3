"""The small platform, as a fixture."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.gpuaas.parity.tests.unit.contract.small_platform import Platform


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    return Platform(tmp_path)
