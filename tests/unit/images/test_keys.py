"""Content keys change when, and only when, what an image is made from changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._images.catalog import Catalog, Image
from ansible_collections.gpuaas.parity.plugins.module_utils._images.keys import keys, tree_digest

CATALOG = Catalog(
    {
        "base": Image("base", bootstrap="trixie"),
        "app": Image("app", context="app", from_={"BASE": "base"}, contexts={"src": "src"}),
        "other": Image("other", context="other", from_={"BASE": "base"}),
    }
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in ("images/app", "images/other", "src"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "file").write_text("one")
    return tmp_path


def of(root: Path, facts: str = "build x86_64", catalog: Catalog = CATALOG) -> dict[str, str]:
    return keys(catalog, catalog.ordered(["app", "other"]), root, facts)


def test_nothing_changed_nothing_new(root: Path) -> None:
    assert of(root) == of(root)


@pytest.mark.parametrize("changed", ["images/app/file", "src/file"])
def test_a_changed_file_changes_only_its_image(root: Path, changed: str) -> None:
    before = of(root)
    (root / changed).write_text("two")
    after = of(root)
    assert after["app"] != before["app"]
    assert (after["base"], after["other"]) == (before["base"], before["other"])


def test_a_changed_parent_changes_its_children(root: Path) -> None:
    changed = Catalog({**CATALOG.images, "base": Image("base", bootstrap="forky")})
    before, after = of(root), of(root, catalog=changed)
    assert all(before[name] != after[name] for name in before)


def test_a_renamed_file_and_a_lost_executable_bit_count(root: Path) -> None:
    file = root / "src" / "file"
    before = tree_digest(root / "src")
    file.chmod(0o755)
    executable = tree_digest(root / "src")
    file.rename(root / "src" / "renamed")
    assert len({before, executable, tree_digest(root / "src")}) == 3


def test_what_tools_leave_behind_does_not_count(root: Path) -> None:
    before = tree_digest(root / "src")
    (root / "src" / "__pycache__").mkdir()
    (root / "src" / "__pycache__" / "x.pyc").write_text("noise")
    assert tree_digest(root / "src") == before


def test_another_machine_architecture_is_another_image(root: Path) -> None:
    assert of(root)["base"] != of(root, facts="build aarch64")["base"]


def test_a_missing_folder_is_named(root: Path) -> None:
    (root / "src" / "file").unlink()
    (root / "src").rmdir()
    with pytest.raises(ParityError) as caught:
        of(root)
    assert caught.value.reason == "IMAGE_CATALOG_INVALID"
    assert "src" in caught.value.seen
