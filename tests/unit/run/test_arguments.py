"""A value that a step does not take is refused like everything else: reason id, what was seen, what to type."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
STATUS = {"kubeconfig": "kubeconfig", "state_dir": "state", "cluster": "none"}


@pytest.mark.parametrize(
    ("arguments", "seen"),
    [
        ({**STATUS, "output": "yaml"}, "value of output must be one of: text, json, got: yaml"),
        ({**STATUS, "colour": "red"}, "colour"),
        ({}, "missing required arguments"),
    ],
)
def test_a_value_that_a_step_does_not_take(tmp_path: Path, arguments: dict[str, Any], seen: str) -> None:
    play = [{"hosts": "localhost", "gather_facts": False, "tasks": [{"name": "Look", "gpuaas.parity.platform_status": arguments}]}]
    (tmp_path / "play.yml").write_text(yaml.safe_dump(play))
    done = subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), "-i", "localhost,", "-c", "local", tmp_path / "play.yml"],
        env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "ARGUMENT_INVALID: " in done.stdout
    assert seen in done.stdout
    assert "-> correct the value where it was given" in done.stdout
