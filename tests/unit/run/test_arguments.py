"""A value that a step does not take is refused like everything else: reason id, what was seen, what to type."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import argument_spec
from ansible_collections.gpuaas.parity.tests.unit.run.playing import play_task

MODULES = Path(__file__).resolve().parents[3] / "plugins" / "modules"
STATUS = {"kubeconfig": "kubeconfig", "state_dir": "state", "cluster": "none"}
STATE = {"state_dir": "state", "verb": "up", "platform": "platform", "mode": "kind"}


@pytest.mark.parametrize(
    ("action", "arguments", "seen"),
    [
        ("run_state", {**STATE, "state": "open"}, "value of state must be one of: locked, unlocked, allowed, absent, got: open"),
        ("platform_status_info", {**STATUS, "colour": "red"}, "colour"),
        ("platform_status_info", {}, "missing required arguments"),
    ],
)
def test_a_value_that_a_step_does_not_take(tmp_path: Path, action: str, arguments: dict[str, Any], seen: str) -> None:
    done = play_task(tmp_path, action, arguments)
    assert done.returncode != 0
    assert "ARGUMENT_INVALID: " in done.stdout
    assert seen in done.stdout
    assert "-> correct the value" in done.stdout


MODULE = """
module: made_up
extends_documentation_fragment:
  - gpuaas.parity.attributes.reads_only
  - gpuaas.parity.kubeconfig
  - gpuaas.parity.platform.lane
options:
  kubeconfig:
    required: true
  component:
    type: str
"""


def test_a_module_takes_the_options_of_the_fragments_it_extends_and_its_own_go_first() -> None:
    assert argument_spec(MODULE) == {
        "component": {"type": "str"},
        "kubeconfig": {"type": "path", "required": True},
        "lane": {"type": "str", "default": ""},
    }


@pytest.mark.parametrize("module", sorted(path.stem for path in MODULES.glob("*.py")))
def test_every_module_says_where_it_runs_what_its_modes_do_and_how_it_fails(module: str) -> None:
    documented = importlib.import_module(f"ansible_collections.gpuaas.parity.plugins.modules.{module}")
    documentation = yaml.safe_load(documented.DOCUMENTATION)
    fragments = documentation["extends_documentation_fragment"]
    assert "gpuaas.parity.attributes" in fragments
    assert "gpuaas.parity.attributes.reads_only" in fragments or set(documentation["attributes"]) == {"check_mode", "diff_mode"}
    assert yaml.safe_load(documented.RETURN)["extends_documentation_fragment"] == ["gpuaas.parity.failure"]
