"""Files with a member's keys."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from gpuaas.encryption import keys
from gpuaas.encryption.member import MemberKey
from gpuaas.encryption.refusal import Reason, RefusedError
from support import key_files
from support.envelopes import ENVIRONMENT


def test_a_key_file_is_its_owners_alone_and_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "alice.json"
    key = MemberKey.generate(ENVIRONMENT, "alice")
    key.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    loaded = MemberKey.load(path, ENVIRONMENT)
    assert (loaded.kid, keys.private(loaded.agree)) == (key.kid, keys.private(key.agree))
    with pytest.raises(FileExistsError):
        MemberKey.generate(ENVIRONMENT, "alice").save(path)
    assert MemberKey.load(path, ENVIRONMENT).kid == key.kid
    assert [each.name for each in tmp_path.iterdir()] == ["alice.json"]


@pytest.mark.parametrize("name", key_files.CASES)
def test_a_key_file_is_refused(name: str, tmp_path: Path) -> None:
    case = key_files.CASES[name]
    assert key_files.refused(case, tmp_path) is case[1]


def test_a_device_or_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """Opening a pipe that nobody writes to would wait for ever."""
    path = tmp_path / "pipe"
    os.mkfifo(path, 0o600)
    with pytest.raises(RefusedError) as refused:
        MemberKey.load(path, ENVIRONMENT)
    assert refused.value.reason is Reason.KEY_FILE_MALFORMED
