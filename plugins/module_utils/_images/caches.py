# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What images and builds leave on the machine: how much it is, which of it nobody has used for long, and how it goes.

Every checkout and instance of a user shares it, so nothing goes by what one of them wants. A run notes each image that it
wants (`note_use`); what no run has wanted for some time and no container uses is what goes by itself.
"""

from __future__ import annotations

import datetime
import json
import shutil
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._images.build import REPOSITORY
from ansible_collections.gpuaas.parity.plugins.module_utils._images.supplied import Supplied, file_of
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import PATIENT
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker
from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import writing

_USED, _LOOKED, _EXPORTED = "used", "pruned", "bin"
_DAY = 86400.0


@dataclass(frozen=True)
class Tagged:
    """An image of ours in the engine; ``made`` is when, in seconds since the epoch."""

    tag: str
    id: str
    made: float
    in_use: bool


@dataclass(frozen=True)
class Held:
    """What the caches hold. ``engine`` is the engine's own count, of images and of build cache, whoever made them."""

    images: list[Tagged]
    engine: dict[str, str]
    directory: Path
    bytes: int

    def lines(self) -> list[str]:
        """The same in words."""
        free = sum(not image.in_use for image in self.images)
        return [
            f"images: {self.engine.get('Images', 'unknown')}; {len(self.images)} are of this collection, {free} of them in no container",
            f"build cache: {self.engine.get('Build Cache', 'unknown')}",
            f"{self.directory}: {self.bytes / 1e6:.0f} MB",
        ]


def note_use(cache: Path, tags: Iterable[str]) -> None:
    """Note that a run wants the images ``tags``. Raises ParityError ``STATE_UNWRITABLE``."""
    with writing(cache):
        (cache / _USED).mkdir(parents=True, exist_ok=True)
        for tag in tags:
            _mark(cache, tag).touch()


def images_of(docker: Docker, repository: str = REPOSITORY) -> list[Tagged]:
    """Every image below ``repository`` that has a tag."""
    containers = docker.objects("container", docker.lines("ps", "--all", "--quiet", "--no-trunc"))
    used = {str(container.get("Image")) for container in containers}
    rows = [json.loads(line) for line in docker.lines("image", "ls", "--no-trunc", "--format", "{{json .}}", f"{repository}/*")]
    return [
        Tagged(f"{row['Repository']}:{row['Tag']}", row["ID"], _seconds(row["CreatedAt"]), row["ID"] in used)
        for row in rows
        if row["Tag"] != "<none>"
    ]


def look(docker: Docker, cache: Path) -> Held:
    """What the caches hold now. Raises what Docker's absence raises."""
    rows = [json.loads(line) for line in docker.lines("system", "df", "--format", "{{json .}}")]
    size = sum(file.lstat().st_size for file in cache.rglob("*") if file.is_file()) if cache.is_dir() else 0
    return Held(images_of(docker), {row["Type"]: row["Size"] for row in rows}, cache, size)


def is_due(cache: Path, now: float) -> bool:
    """Whether nobody has looked for what is outdated for a day."""
    return now - _time_of(cache / _LOOKED) >= _DAY


def remove_outdated(docker: Docker, cache: Path, days: float, now: float) -> list[str]:
    """Remove what no run has wanted for ``days``: images that no container uses, and exported programs.

    Returns the tags that are gone. Build cache stays: the engine does not know for whom it keeps it, and collects it by itself.
    """

    def wanted(tag: str, made: float) -> bool:
        return now - max(made, _time_of(_mark(cache, tag))) < days * _DAY

    gone = _remove(docker, [image for image in images_of(docker) if not wanted(image.tag, image.made)])
    exported = {path: _time_of(path) for path in (cache / _EXPORTED).glob("*")}
    marks = {mark.name.partition(":")[2]: _time_of(mark) for mark in (cache / _USED).glob("*:*")}
    _drop(path for path, made in exported.items() if now - max(made, marks.get(path.name, 0.0)) >= days * _DAY)
    _forget(cache, lambda mark: now - _time_of(mark) >= days * _DAY)
    with writing(cache):
        cache.mkdir(parents=True, exist_ok=True)
        (cache / _LOOKED).touch()
    return gone


def remove_all(docker: Docker, cache: Path, state_dirs: Collection[Path]) -> list[str]:
    """Remove whatever no container uses, all build cache, and the directory ``cache``.

    Of that stays the program that a cluster in one of ``state_dirs`` was made with. Returns the tags that are gone.
    """
    gone = _remove(docker, images_of(docker))
    docker.call("buildx", "prune", "--builder", "default", "--force", "--all", check=False, timeout=PATIENT)
    kept = {_program(state_dir).parent for state_dir in state_dirs}
    _drop(path for path in (cache / _EXPORTED).glob("*") if path not in kept)
    _drop(path for path in cache.glob("*") if path.name != _EXPORTED)
    return gone


def _remove(docker: Docker, images: list[Tagged]) -> list[str]:
    """A tag whose image a container uses would go all the same if that image had another, so it is not tried."""
    free = [image.tag for image in images if not image.in_use]
    return [tag for tag in free if docker.call("image", "rm", tag, check=False, timeout=PATIENT).rc == 0]


def _drop(paths: Iterable[Path]) -> None:
    for path in list(paths):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _forget(cache: Path, is_old: Callable[[Path], bool]) -> None:
    _drop(mark for mark in (cache / _USED).glob("*") if is_old(mark))


def _mark(cache: Path, tag: str) -> Path:
    return cache / _USED / tag.rpartition("/")[2]


def _time_of(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _seconds(made: str) -> float:
    """``2026-11-24 20:23:35 +0000 UTC``, as docker image ls prints it."""
    day, clock, zone, *_name = made.split()
    return datetime.datetime.strptime(f"{day} {clock} {zone}", "%Y-%m-%d %H:%M:%S %z").timestamp()


def _program(state_dir: Path) -> Path:
    """The program that a cluster was made with; nothing where none is recorded."""
    try:
        return Path(Supplied.read(file_of(state_dir)).kind)
    except ParityError:
        return Path()
