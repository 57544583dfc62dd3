"""rendered/ is replaced as a whole, privately, and files are written whole."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.resolved import load_resolved
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.tree import diff_trees, read_tree, swap_tree
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import (
    ensure_dir,
    sweep,
    write_atomic,
    write_if_changed,
)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_swap_removes_what_is_no_longer_rendered(tmp_path: Path) -> None:
    root = tmp_path / "state" / "rendered"
    swap_tree(root, {"a/b.txt": b"1", "c": b"2"})
    swap_tree(root, {"a/b.txt": b"3"})
    assert read_tree(root) == {"a/b.txt": b"3"}
    assert [path.name for path in root.parent.iterdir()] == ["rendered"]


def test_swapped_files_are_private(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        swap_tree(tmp_path / "rendered", {"a/b/c": b"1"})
    finally:
        os.umask(before)
    assert mode(tmp_path / "rendered") == mode(tmp_path / "rendered/a/b") == 0o700
    assert mode(tmp_path / "rendered/a/b/c") == 0o600


def test_swap_clears_what_an_interrupted_one_left(tmp_path: Path) -> None:
    (tmp_path / ".rendered.1234.old").mkdir()
    (tmp_path / ".rendered.1234.new").mkdir()
    swap_tree(tmp_path / "rendered", {"a": b"1"})
    assert [path.name for path in tmp_path.iterdir()] == ["rendered"]


def test_swap_replaces_a_file_or_link_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "rendered").symlink_to("elsewhere")
    assert read_tree(tmp_path / "rendered") == {}
    swap_tree(tmp_path / "rendered", {"a": b"1"})
    assert not (tmp_path / "rendered").is_symlink()
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_failed_swap_leaves_the_old_tree(tmp_path: Path) -> None:
    root = tmp_path / "rendered"
    swap_tree(root, {"a": b"1"})
    with pytest.raises(ParityError) as caught:
        swap_tree(root, {"a": b"2", "a/b": b"3"})
    assert caught.value.reason == "PATH_OBSTRUCTED"
    assert read_tree(root) == {"a": b"1"}
    assert [path.name for path in tmp_path.iterdir()] == ["rendered"]


def test_a_link_never_equals_a_rendering(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"1")
    (tmp_path / "rendered").mkdir()
    (tmp_path / "rendered" / "a").symlink_to(tmp_path / "x")
    assert read_tree(tmp_path / "rendered") != {"a": b"1"}


def test_diff() -> None:
    text = diff_trees({"a": b"1\n2\n", "b": b"x"}, {"a": b"1\n3\n", "c": b"y\n"})
    assert "--- a/a\n+++ b/a\n" in text
    assert "-2\n+3\n" in text
    assert "--- a/b\n+++ /dev/null\n" in text
    assert "--- /dev/null\n+++ b/c\n" in text
    assert diff_trees({"a": b"1"}, {"a": b"1"}) == ""


def test_write_if_changed(tmp_path: Path) -> None:
    path = tmp_path / "x"
    assert write_if_changed(path, b"1", dry=True)
    assert not path.exists()
    assert write_if_changed(path, b"1")
    assert not write_if_changed(path, b"1")
    path.chmod(0o644)
    assert write_if_changed(path, b"1")
    assert mode(path) == 0o600


def test_write_replaces_a_link_and_not_its_target(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"keep")
    (tmp_path / "x").symlink_to("target")
    assert write_if_changed(tmp_path / "x", b"keep")
    assert not (tmp_path / "x").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"keep"


def test_interrupted_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x"
    write_atomic(path, b"old")

    def interrupt(source: Path, target: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert [item.name for item in tmp_path.iterdir()] == ["x"]


def test_full_disk_has_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ParityError) as caught:
        write_atomic(tmp_path / "x", b"1")
    assert caught.value.reason == "DISK_FULL"
    assert "No space left on device" in caught.value.seen
    assert list(tmp_path.iterdir()) == []


def test_sweep(tmp_path: Path) -> None:
    for name in (".x.0123.tmp", "x", ".hidden"):
        (tmp_path / name).touch()
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".hidden", "x"]


def test_ensure_dir(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b"
    assert ensure_dir(path, dry=True)
    assert not path.exists()
    assert ensure_dir(path)
    assert mode(path) == 0o700
    assert not ensure_dir(path)
    path.chmod(0o755)
    assert ensure_dir(path)
    assert mode(path) == 0o700


def test_ensure_dir_where_a_file_is(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(ParityError) as caught:
        ensure_dir(tmp_path / "a")
    assert caught.value.reason == "PATH_OBSTRUCTED"


RESOLVED = {"contract": 1, "endpoints": {}, "services": {"api": {}}, "secrets": {}}


def test_resolved_contract_as_mapping_or_path(tmp_path: Path) -> None:
    path = tmp_path / "contract.json"
    path.write_text('{"contract": 1, "endpoints": {}, "services": {"api": {}}, "secrets": {}}')
    assert load_resolved(RESOLVED) == load_resolved(str(path)) == RESOLVED


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        5,
        None,
        {"contract": 2},
        {"contract": 1},
        RESOLVED | {"services": []},
        RESOLVED | {"services": {"../x": {}}},
        RESOLVED | {"secrets": {1, 2}},
    ],
)
def test_not_a_resolved_contract(value: object) -> None:
    with pytest.raises(ParityError) as caught:
        load_resolved(value)
    assert caught.value.reason == "CONTRACT_INVALID"


def test_resolved_contract_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ParityError) as caught:
        load_resolved(str(tmp_path / "gone.json"))
    assert caught.value.reason == "CONTRACT_UNREADABLE"
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(ParityError) as caught:
        load_resolved(str(tmp_path / "broken.json"))
    assert caught.value.reason == "CONTRACT_INVALID"
