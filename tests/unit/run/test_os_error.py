# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operating system reports about a file has a reason of its own, and is no defect of ours."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run import files
from ansible_collections.gpuaas.parity.plugins.module_utils._run.os_error import explained
from ansible_collections.gpuaas.parity.plugins.modules.image import DOCUMENTATION
from ansible_collections.gpuaas.parity.plugins.plugin_utils._action import ParityAction


def error(number: int, *names: str) -> OSError:
    return OSError(number, os.strerror(number), *names)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, "DISK_FULL"),
        (errno.EDQUOT, "DISK_FULL"),
        (errno.EISDIR, "PATH_OBSTRUCTED"),
        (errno.ENOTDIR, "PATH_OBSTRUCTED"),
        (errno.ELOOP, "PATH_OBSTRUCTED"),
        (errno.EEXIST, "PATH_OBSTRUCTED"),
        (errno.EACCES, "STATE_UNWRITABLE"),
        (errno.EROFS, "STATE_UNWRITABLE"),
    ],
)
def test_each_kind_has_its_reason_and_names_the_file(number: int, reason: str) -> None:
    for found in (explained(error(number, "/run/x")), explained(error(number), Path("/run/x"))):
        assert found is not None and (found.reason, found.seen) == (reason, f"/run/x: {os.strerror(number)}")


def test_a_full_disk_needs_no_name_and_the_others_do() -> None:
    full = explained(error(errno.ENOSPC))
    assert full is not None and full.reason == "DISK_FULL"
    assert explained(error(errno.EACCES)) is None
    assert explained(error(errno.ECONNREFUSED, "/run/x")) is None


def test_a_directory_in_the_place_of_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "record").mkdir()
    with pytest.raises(ParityError) as caught:
        files.write_text(tmp_path / "record", "x")
    assert caught.value.reason == "PATH_OBSTRUCTED" and str(tmp_path / "record") in caught.value.seen
    assert [entry.name for entry in tmp_path.iterdir()] == ["record"]


def test_a_link_in_the_place_of_a_file_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("theirs")
    (tmp_path / "record").symlink_to("theirs")
    files.write_text(tmp_path / "record", "ours")
    assert ((tmp_path / "theirs").read_text(), (tmp_path / "record").is_symlink()) == ("theirs", False)


class Step(ParityAction):
    """A step that fails with what it is given."""

    DOCUMENTATION = DOCUMENTATION

    def __init__(self, problem: Exception) -> None:
        self.problem = problem
        self._task = SimpleNamespace(check_mode=False, diff=False, args={})
        self._commands = SimpleNamespace(fill=str)
        self.validate_argument_spec = lambda **_: (None, {})

    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        raise self.problem


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (error(errno.ENOSPC, "/run/x"), "DISK_FULL"),
        (error(errno.EISDIR, "/run/x"), "PATH_OBSTRUCTED"),
        (error(errno.ECONNREFUSED), "INTERNAL"),
        (ValueError("x"), "INTERNAL"),
    ],
)
def test_a_step_tells_it_as_a_reason(problem: Exception, reason: str) -> None:
    told = Step(problem)._attempt()
    assert (told["failed"], told["reason"], "exception" in told) == (True, reason, reason == "INTERNAL")
