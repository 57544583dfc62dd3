# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a set of images about: every image once, parents first, independent ones at once."""

from __future__ import annotations

import contextlib
import re
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._images.build import Builder
from ansible_collections.gpuaas.parity.plugins.module_utils._images.catalog import Catalog, Image
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import Emit, Note
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import Image as ImageEvent
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.wait_report import WaitReport

# What buildx (--progress plain) and mmdebstrap say when they begin something.
_STEP = re.compile(r"^(?:#\d+ \[(?P<step>[^\]]+)\]|I: (?P<stage>.+))")
_HEARTBEAT_SECONDS = 1.0


def missing(builder: Builder, catalog: Catalog, names: list[str]) -> list[Image]:
    """Which images must be built for ``names`` to exist, parents first.

    A parent is needed only by a child that is missing.
    """
    needed: dict[str, Image] = {}

    def visit(name: str) -> None:
        image = catalog[name]
        if name in needed or builder.exists(image):
            return
        for parent in image.from_.values():
            visit(parent)
        needed[name] = image

    for name in names:
        visit(name)
    return list(needed.values())


def build_all(builder: Builder, images: list[Image], emit: Emit, workers: int = 8) -> list[str]:
    """Build ``images``, parents first; returns the names built.

    The first failure stops new builds and is raised once the running ones end.
    """
    waiting = {image.name: image for image in images}
    running: dict[Future[None], _Build] = {}
    built: list[str] = []
    started = time.monotonic()
    wait_report = WaitReport(emit, "images")

    with ThreadPoolExecutor(max_workers=workers) as pool:
        try:
            while waiting or running:
                unbuilt = set(waiting) | {build.image.name for build in running.values()}
                for image in [image for image in waiting.values() if not set(image.from_.values()) & unbuilt]:
                    del waiting[image.name]
                    build = _Build(image, emit)
                    running[pool.submit(builder.build, image, build.line, lambda text: emit(Note(text)))] = build
                done, _pending = wait(running, timeout=_HEARTBEAT_SECONDS, return_when=FIRST_COMPLETED)
                for future in done:
                    build = running.pop(future)
                    build.end(future)
                    built.append(build.image.name)
                for build in running.values():
                    build.tell()
                now = ", ".join(map(str, running.values()))
                wait_report.at(time.monotonic() - started, now, len(built), len(images))
        except BaseException:
            waiting.clear()
            wait(running)
            for future, build in running.items():
                # The first failure is the one that is raised.
                with contextlib.suppress(Exception):
                    build.end(future)
            raise
    return built


class _Build:
    """A build that runs; its lines come from a thread of its own."""

    def __init__(self, image: Image, emit: Emit) -> None:
        self.image = image
        self._emit = emit
        self._began = time.monotonic()
        self._step = self._told = ""
        emit(ImageEvent(image.name, "started"))

    def __str__(self) -> str:
        return f"{self.image.name} [{self._step}]" if self._step else self.image.name

    def line(self, text: str) -> None:
        """Take a line that the program printed."""
        found = _STEP.match(text)
        if found:
            self._step = found["step"] or found["stage"]

    def tell(self) -> None:
        """Tell which step is being made, if it is another."""
        if self._step != self._told:
            self._told = self._step
            self._emit(ImageEvent(self.image.name, "progress", text=self._step))

    def end(self, future: Future[None]) -> None:
        """Tell how it ended; a failure is raised."""
        seconds = round(time.monotonic() - self._began, 1)
        error = future.exception()
        if error is None:
            self._emit(ImageEvent(self.image.name, "pulled" if self.image.upstream else "built", seconds=seconds))
            return
        reason = error.reason if isinstance(error, ParityError) else "INTERNAL"
        self._emit(ImageEvent(self.image.name, "failed", seconds=seconds, reason=reason))
        raise error
