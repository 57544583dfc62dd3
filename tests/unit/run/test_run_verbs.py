# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mode's file says what may be done in it; the rest is refused before anything is touched."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.head import Head
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.verbs import refuse_verb

ROOT = Path(__file__).parents[3]


def head(mode: str, may: list[str], instead: str = "") -> Head:
    return Head(mode, "", "gitops", "staging", tuple(may), instead, "", "", 443)


def test_what_may_be_done_is_not_refused() -> None:
    refuse_verb(head("kind", ["render", "up"]), "up")


def test_a_refusal_says_what_where_and_where_the_work_belongs() -> None:
    with pytest.raises(ParityError) as caught:
        refuse_verb(head("platform_control", ["render", "diff"], "use the release pipeline\n"), "reset")
    error = caught.value
    assert error.reason == "MODE_VERB_REFUSED"
    assert "reset" in error.seen and "platform_control" in error.seen and "render, diff" in error.seen
    assert error.do == "use the release pipeline"


def test_an_empty_list_refuses_everything() -> None:
    with pytest.raises(ParityError, match="nothing"):
        refuse_verb(head("vm-105", []), "render")


@pytest.mark.parametrize("mode", ["vm-105", "platform_control"])
@pytest.mark.parametrize("verb", ["up", "down", "reset", "status", "logs"])
def test_a_shared_mode_is_not_touched_by(tmp_path: Path, mode: str, verb: str) -> None:
    state = tmp_path / "parity" / mode
    done = subprocess.run(
        [
            Path(sys.executable).with_name("ansible-playbook"),
            ROOT / f"playbooks/{verb}.yml",
            "-i",
            ROOT / "inventories" / mode,
            "-e",
            f"parity_state_dir={state}",
        ],
        env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_LOCAL_TEMP": str(tmp_path / "ansible")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode != 0
    assert "MODE_VERB_REFUSED" in said and mode in said
    assert "environment factory" in said or "release pipeline" in said
    assert not state.parent.exists()
