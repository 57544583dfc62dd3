"""Content keys change when, and only when, what an image is made from changes."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._images.catalog import Image, Upstream
from ansible_collections.gpuaas.parity.plugins.module_utils._images.keys import keys, tree_digest

BASE = Image("base", "here", bootstrap="trixie", upstream=Upstream("host.example/debian:trixie"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in ("app", "other", "src"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "file").write_text("one")
        (tmp_path / folder / "Dockerfile").write_text("FROM scratch")
    return tmp_path


def of(root: Path, facts: str = "build x86_64", base: Image = BASE, **more: Any) -> dict[str, str]:
    app = Image("app", "here", context=root / "app", from_={"BASE": "base"}, contexts={"src": root / "src"})
    other = Image("other", "here", context=root / "other", from_={"BASE": "base"})
    return keys([base, replace(app, **more), other], facts)


def test_nothing_changed_nothing_new(root: Path) -> None:
    assert of(root) == of(root)


@pytest.mark.parametrize("changed", ["app/file", "src/file"])
def test_a_changed_file_changes_only_its_image(root: Path, changed: str) -> None:
    before = of(root)
    (root / changed).write_text("two")
    after = of(root)
    assert after["app"] != before["app"]
    assert (after["base"], after["other"]) == (before["base"], before["other"])


def test_a_changed_parent_changes_its_children(root: Path) -> None:
    before, after = of(root), of(root, base=replace(BASE, bootstrap="forky"))
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


def test_another_place_is_not_another_image(root: Path) -> None:
    before = of(root)
    root.rename(root.with_name("elsewhere"))
    assert of(root.with_name("elsewhere")) == before


def test_of_an_entry_only_what_decides_what_is_in_the_image_counts(root: Path) -> None:
    before = of(root)
    (root / "app" / "image.yml").write_text("app: {developed: true}")
    assert of(root, developed=True, node_as="host/app:1", upstream=Upstream("host/app:1")) == before
    assert of(root, target="stage") != before


def test_an_entry_that_is_content_counts(root: Path) -> None:
    before = of(root)
    (root / "src" / "image.yml").write_text("app: {}")
    assert of(root)["app"] != before["app"]


def test_what_is_pulled_depends_on_what_it_is_called(root: Path) -> None:
    pulled = replace(BASE, pulled=True)
    pinned = replace(pulled, upstream=Upstream("host.example/debian:trixie", "sha256:1"))
    assert len({of(root)["base"], of(root, base=pulled)["base"], of(root, base=pinned)["base"]}) == 3


@pytest.mark.parametrize("folder", ["app", "src"])
def test_a_missing_folder_is_named(root: Path, folder: str) -> None:
    shutil.rmtree(root / folder)
    with pytest.raises(ParityError) as caught:
        of(root)
    assert caught.value.reason == "IMAGE_CATALOG_INVALID"
    assert caught.value.seen == f"here: {root / folder} is no folder"


def test_a_folder_without_a_dockerfile_is_named(root: Path) -> None:
    (root / "app" / "Dockerfile").unlink()
    with pytest.raises(ParityError) as caught:
        of(root)
    assert caught.value.seen == f"here: {root / 'app'} holds no Dockerfile"
