"""A state directory before and after its first run."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.gpuaas.parity.tests.unit.secrets.made_up_state import State


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "kind")


@pytest.fixture
def kept(state: State) -> State:
    state.keep()
    return state
