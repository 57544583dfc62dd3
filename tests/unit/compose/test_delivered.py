"""Files in volumes that are no longer what was handed out: whom `up` recreates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._compose import machine
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.delivered import changed_since
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.handed import handed
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import Project
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Completed
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker
from ansible_collections.gpuaas.parity.tests.unit.checks.containers import PROJECT, answers, container

Rendered = Callable[[], tuple[Path, Path]]
PASSWORD = "/to/redis-secrets/admin_password"
Change = Callable[[dict[str, str]], Any]


def stale(rendered: Rendered, change: Change = dict, status: str = "running") -> list[str]:
    root, state = rendered()
    volumes = {item.to: item.digest for item in handed(root, state)}
    change(volumes)

    def inside(option: str, command: Sequence[str]) -> Completed:
        assert option == "--user=0"
        assert command[0] == "id-of-secrets"
        return Completed("".join(f"{digest}  {path}\n" for path, digest in volumes.items()), "", 0)

    docker = Docker(lambda argv, **_: answers([container("secrets", status=status)], None, inside)(argv))
    return changed_since(docker, Project(docker, PROJECT), machine.load_project(root)["services"], root, state)


def test_nobody_where_all_is_as_it_was_handed_out(rendered: Rendered) -> None:
    assert stale(rendered) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda volumes: volumes.update({PASSWORD: "0" * 64}),
        lambda volumes: volumes.pop(PASSWORD),
        lambda volumes: volumes.update({"/to/redis-secrets/more": "0" * 64}),
    ],
)
def test_who_reads_another_file_and_who_hands_it_out(rendered: Rendered, change: Change) -> None:
    assert stale(rendered, change) == ["redis", "secrets"]


def test_all_who_read_where_nothing_can_be_read(rendered: Rendered) -> None:
    assert {"api", "redis", "postgres", "secrets"} < set(stale(rendered, dict.clear))


def test_nobody_while_the_one_that_hands_out_does_not_run(rendered: Rendered) -> None:
    assert stale(rendered, dict.clear, status="exited") == []


def test_a_file_that_is_gone_here_is_refused(rendered: Rendered) -> None:
    root, state = rendered()
    (state / "secrets/files/redis/admin_password").unlink()
    with pytest.raises(ParityError, match="STATE_UNWRITABLE"):
        handed(root, state)
