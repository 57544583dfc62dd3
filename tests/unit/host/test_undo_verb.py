# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make host-undo` as a user types it, with a record of files alone and a Docker that is not there."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._host.record import Record, write

CHECKOUT = Path(__file__).resolve().parents[3]


class Home:
    """A home with a record of one file that was written for apt; ``docker`` and ``dpkg-query`` are stand-ins."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / "gpuaas-parity.sources"
        self.record = folder / ".local/state/gpuaas-parity/host.json"
        for name, script in (("docker", "exit 0"), ("dpkg-query", "exit 0")):
            program = folder / "bin" / name
            program.parent.mkdir(exist_ok=True)
            program.write_text(f"#!/bin/sh\n{script}\n")
            program.chmod(0o755)

    def changed(self) -> None:
        self.file.write_text("ours\n")
        write(self.record, Record().and_files({str(self.file): "ours\n"}))

    def undo(self, *given: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "HOME": str(self.folder), "PATH": f"{self.folder}/bin:{os.environ['PATH']}"}
        command = ["make", "--silent", "--assume-old=.venv/runtime", "host-undo", "OUTPUT=json", *given]
        return subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_it_is_shown_and_waits_for_a_yes(home: Home) -> None:
    home.changed()
    done = home.undo()
    assert done.returncode != 0
    assert "HOST_UNDO_UNCONFIRMED" in done.stderr
    assert json.loads(done.stdout)["steps"][0]["commands"] == [f"rm -- {home.file}"]
    assert home.file.exists() and home.record.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="removes a file as root does")
def test_with_a_yes_it_is_undone_and_then_nothing_is_left(home: Home) -> None:
    home.changed()
    assert home.undo("CONFIRM=yes").returncode == 0
    assert not home.file.exists() and not home.record.exists()
    again = home.undo()
    assert (again.returncode, json.loads(again.stdout)["steps"]) == (0, [])
