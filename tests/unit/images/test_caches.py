# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What images and builds leave goes when nobody needs it, and never what a platform uses or another checkout wants."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._images import caches
from ansible_collections.gpuaas.parity.plugins.module_utils._images.supplied import Supplied, file_of
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Completed
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker

NOW = 1_800_000_000.0
DAY = 86400.0


@dataclass
class Engine:
    """An engine with images, each of an age in days, and containers of some of them."""

    images: dict[str, tuple[str, float]] = field(default_factory=dict)
    containers: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    def docker(self) -> Docker:
        return Docker(self.run)

    def run(self, argv: Sequence[str], **_options: Any) -> Completed:
        command = list(argv[1:])
        self.calls.append(" ".join(command))
        if command[:2] == ["image", "ls"]:
            return Completed("\n".join(json.dumps(self.row(tag)) for tag in self.images), "", 0)
        if command[0] == "ps":
            return Completed("\n".join(map(str, range(len(self.containers)))), "", 0)
        if command[0] == "inspect":
            return Completed(json.dumps([{"Image": image} for image in self.containers]), "", 0)
        if command[:2] == ["image", "rm"]:
            del self.images[command[2]]
        if command[:2] == ["system", "df"]:
            return Completed('{"Type": "Images", "Size": "14GB"}\n{"Type": "Build Cache", "Size": "13GB"}', "", 0)
        return Completed("", "", 0)

    def row(self, tag: str) -> dict[str, str]:
        identity, days = self.images[tag]
        made = datetime.datetime.fromtimestamp(NOW - days * DAY, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S +0000 UTC")
        repository, _colon, key = tag.partition(":")
        return {"Repository": repository, "Tag": key, "ID": identity, "CreatedAt": made}


@pytest.fixture
def engine() -> Engine:
    return Engine(
        {
            "gpuaas-parity/kind-node:new": ("a", 1),
            "gpuaas-parity/kind-node:old": ("b", 20),
            "gpuaas-parity/kind-node:stands": ("c", 20),
            "gpuaas-parity/kind-node:stands-too": ("c", 20),
            "gpuaas-parity/base:wanted": ("d", 20),
        },
        containers=["c"],
    )


def used(cache: Path, tag: str, days: float) -> None:
    caches.note_use(cache, [tag])
    mark = cache / "used" / tag.rpartition("/")[2]
    os.utime(mark, (NOW - days * DAY,) * 2)


def test_an_image_goes_when_no_run_has_wanted_it_for_so_long(engine: Engine, tmp_path: Path) -> None:
    used(tmp_path, "gpuaas-parity/base:wanted", 13)
    used(tmp_path, "gpuaas-parity/kind-node:old", 15)
    assert caches.remove_outdated(engine.docker(), tmp_path, 14, NOW) == ["gpuaas-parity/kind-node:old"]
    assert [mark.name for mark in (tmp_path / "used").iterdir()] == ["base:wanted"]


def test_an_image_of_a_container_stays_under_each_of_its_tags(engine: Engine, tmp_path: Path) -> None:
    caches.remove_all(engine.docker(), tmp_path, [])
    assert set(engine.images) == {"gpuaas-parity/kind-node:stands", "gpuaas-parity/kind-node:stands-too"}


def test_only_images_of_this_collection_are_asked_for(engine: Engine, tmp_path: Path) -> None:
    caches.remove_all(engine.docker(), tmp_path, [])
    (listing,) = [call for call in engine.calls if call.startswith("image ls")]
    assert listing.endswith(" gpuaas-parity/*")


def test_build_cache_may_be_somebody_elses(engine: Engine, tmp_path: Path) -> None:
    caches.remove_outdated(engine.docker(), tmp_path, 14, NOW)
    assert not [call for call in engine.calls if "prune" in call]
    caches.remove_all(engine.docker(), tmp_path, [])
    assert "buildx prune --builder default --force --all" in engine.calls


def test_an_exported_program_goes_by_its_use(engine: Engine, tmp_path: Path) -> None:
    for name, days in (("k1", 20), ("k2", 20), ("k3", 1)):
        folder = tmp_path / "bin" / name
        folder.mkdir(parents=True)
        os.utime(folder, (NOW - days * DAY,) * 2)
    used(tmp_path, "gpuaas-parity/kind:k2", 2)
    caches.remove_outdated(engine.docker(), tmp_path, 14, NOW)
    assert sorted(path.name for path in (tmp_path / "bin").iterdir()) == ["k2", "k3"]


def test_it_is_looked_for_once_a_day(engine: Engine, tmp_path: Path) -> None:
    assert caches.is_due(tmp_path, NOW)
    caches.remove_outdated(engine.docker(), tmp_path, 14, NOW)
    looked = (tmp_path / "pruned").stat().st_mtime
    assert not caches.is_due(tmp_path, looked + DAY - 1)
    assert caches.is_due(tmp_path, looked + DAY)


def test_everything_else_of_the_directory_goes_but_the_program_of_a_cluster_that_stands(engine: Engine, tmp_path: Path) -> None:
    cache, state = tmp_path / "cache", tmp_path / ".parity" / "kind"
    for name in ("bin/k1/kind", "bin/k2/kind", "logs/base.log", "images-source"):
        (cache / name).parent.mkdir(parents=True, exist_ok=True)
        (cache / name).write_text("x")
    Supplied({}, kind=str(cache / "bin/k1/kind")).write(file_of(state))
    caches.remove_all(engine.docker(), cache, [state, tmp_path / "gone"])
    assert [str(path.relative_to(cache)) for path in sorted(cache.rglob("*"))] == ["bin", "bin/k1", "bin/k1/kind"]


def test_what_is_held_is_said(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "log").write_text("x" * 2_000_000)
    assert caches.look(engine.docker(), tmp_path).lines() == [
        "images: 14GB; 5 are of this collection, 3 of them in no container",
        "build cache: 13GB",
        f"{tmp_path}: 2 MB",
    ]
    assert caches.look(engine.docker(), tmp_path / "none").bytes == 0
