"""Which images are removed when a new one is made. A fake docker stands in."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._images.prune import prune

FAKE = """#!/bin/sh
case "$2" in
  ls) for name in k j i h g f e d three two one; do echo "parity/kind-node:$name"; done ;;
  rm) [ "$3" != parity/kind-node:two ] || { echo 'conflict: a container uses it' >&2; exit 1; } ;;
esac
"""


@pytest.fixture(autouse=True)
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "docker"
    program.write_text(FAKE)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


def test_the_newest_and_what_is_built_upon_stay_and_so_does_what_is_in_use() -> None:
    # Docker lists the newest first: eight of them, k to d.
    assert prune("parity/kind-node", {"parity/kind-node:one"}) == ["parity/kind-node:three"]
