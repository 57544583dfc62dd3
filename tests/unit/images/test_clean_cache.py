# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make clean-cache` as a user types it, with a stand-in for docker: the real engine's images are others' as well."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
DOCKER = """#!/bin/sh
echo "$@" >> {calls}
case "$1 $2" in
  "image ls") echo '{{"Repository": "gpuaas-parity/base", "Tag": "k1", "ID": "a", "CreatedAt": "2026-01-01 00:00:00 +0000 UTC"}}' ;;
  "system df") echo '{{"Type": "Images", "Size": "1GB"}}' ;;
esac
"""


def test_what_nobody_uses_goes_and_it_is_said(tmp_path: Path) -> None:
    docker, calls = tmp_path / "bin" / "docker", tmp_path / "calls"
    docker.parent.mkdir()
    docker.write_text(DOCKER.format(calls=calls))
    docker.chmod(0o755)
    log = tmp_path / ".cache/gpuaas-parity/logs/base.log"
    log.parent.mkdir(parents=True)
    log.write_text("x")
    done = subprocess.run(
        ["make", "--silent", "--assume-old=.venv/runtime", "clean-cache", "OUTPUT=json"],
        cwd=CHECKOUT,
        env={**os.environ, "HOME": str(tmp_path), "PATH": f"{docker.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["removed"] == ["gpuaas-parity/base:k1"]
    assert answer["before"][-1].startswith(str(tmp_path))
    assert {"image rm gpuaas-parity/base:k1", "buildx prune --builder default --force --all"} <= set(calls.read_text().splitlines())
    assert not log.exists()
