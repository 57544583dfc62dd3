"""A value that a step does not take is refused like everything else: reason id, what was seen, what to type."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.tests.unit.run.playing import play_task

STATUS = {"kubeconfig": "kubeconfig", "state_dir": "state", "cluster": "none"}
STATE = {"state_dir": "state", "verb": "up", "platform": "platform", "mode": "kind"}


@pytest.mark.parametrize(
    ("action", "arguments", "seen"),
    [
        ("run_state", {**STATE, "state": "open"}, "value of state must be one of: locked, unlocked, allowed, absent, got: open"),
        ("platform_status", {**STATUS, "colour": "red"}, "colour"),
        ("platform_status", {}, "missing required arguments"),
    ],
)
def test_a_value_that_a_step_does_not_take(tmp_path: Path, action: str, arguments: dict[str, Any], seen: str) -> None:
    done = play_task(tmp_path, action, arguments)
    assert done.returncode != 0
    assert "ARGUMENT_INVALID: " in done.stdout
    assert seen in done.stdout
    assert "-> correct the value where it was given" in done.stdout
