"""What Docker is asked about the machine that it runs on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.observe import cgroup_version
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Completed
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker


@pytest.mark.parametrize(("said", "version"), [("2\n", 2), ("1\n", 1), ("\n", 1)])
def test_the_engine_says_which_cgroup_version_its_machine_has(said: str, version: int) -> None:
    asked: list[Sequence[str]] = []

    def runner(argv: Sequence[str], **_options: Any) -> Completed:
        asked.append(argv)
        return Completed(said, "", 0)

    assert cgroup_version(Docker(runner)) == version
    assert asked == [["docker", "info", "--format", "{{.CgroupVersion}}"]]
