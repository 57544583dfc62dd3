# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a set of images about: every image once, parents first, independent ones at once."""

from __future__ import annotations

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

    A failure is said at once and stops what stands on that image; everything else is built all the same. At the end the
    first failure is raised, with what else failed in its text.
    """
    work = _Work(builder, emit, {image.name: image for image in images})
    started = time.monotonic()
    wait_report = WaitReport(emit, "images")
    with ThreadPoolExecutor(max_workers=workers) as pool:
        try:
            while work.begin(pool):
                work.end_some()
                wait_report.at(time.monotonic() - started, ", ".join(map(str, work.running.values())), len(work.built), len(images))
        except BaseException:
            work.leave()
            raise
    if work.failures:
        raise _all_at_once(work.failures)
    return work.built


class _Work:
    """What is built, what waits for its parents, and what has failed."""

    def __init__(self, builder: Builder, emit: Emit, waiting: dict[str, Image]) -> None:
        self._builder, self._emit, self._waiting = builder, emit, waiting
        self.running: dict[Future[None], _Build] = {}
        self.built: list[str] = []
        self.failures: list[Exception] = []

    def begin(self, pool: ThreadPoolExecutor) -> bool:
        """Begin every image whose parents are there; whether anything is at work."""
        unbuilt = set(self._waiting) | {build.image.name for build in self.running.values()}
        for image in [image for image in self._waiting.values() if not set(image.from_.values()) & unbuilt]:
            del self._waiting[image.name]
            build = _Build(image, self._emit)
            self.running[pool.submit(self._builder.build, image, build.line, lambda text: self._emit(Note(text)))] = build
        return bool(self.running)

    def end_some(self) -> None:
        """Wait a moment for a build to end, and say how it did."""
        done, _pending = wait(self.running, timeout=_HEARTBEAT_SECONDS, return_when=FIRST_COMPLETED)
        for future in done:
            build = self.running.pop(future)
            failure = build.end(future)
            if failure is None:
                self.built.append(build.image.name)
            else:
                self.failures.append(failure)
                self._emit(Note(self._told(build.image.name, failure, self._stop(build.image.name))))
        for build in self.running.values():
            build.tell()

    def leave(self) -> None:
        """Begin nothing more, and wait for what is at work."""
        self._waiting.clear()
        wait(self.running)
        for future, build in self.running.items():
            build.end(future)

    def _stop(self, failed: str) -> list[str]:
        """Give up what stands on ``failed``; the names of it."""
        stopped: list[str] = []
        while found := [image.name for image in self._waiting.values() if {failed, *stopped} & set(image.from_.values())]:
            stopped += found
            for name in found:
                del self._waiting[name]
        return sorted(stopped)

    def _told(self, name: str, failure: Exception, stopped: list[str]) -> str:
        rest = sorted([build.image.name for build in self.running.values()] + list(self._waiting))
        return "\n".join(
            [
                f"image {name} failed: {_line(failure)}",
                *([f"  not built without it: {', '.join(stopped)}"] if stopped else []),
                *([f"  goes on: {', '.join(rest)}"] if rest else []),
            ]
        )


def _line(failure: Exception) -> str:
    """The line of a failure that matters."""
    details = failure.details if isinstance(failure, ParityError) else {}
    return str(details.get("line") or str(failure).splitlines()[0])


def _all_at_once(failures: list[Exception]) -> Exception:
    """The first of ``failures``, with the line that matters of each other."""
    first, *others = failures
    if not others or not isinstance(first, ParityError):
        return first
    return ParityError(
        first.reason, "\n".join([first.seen, *(f"failed as well: {_line(other)}" for other in others)]), first.do, first.details
    )


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

    def end(self, future: Future[None]) -> Exception | None:
        """Tell how it ended; returns why it failed, or None."""
        seconds = round(time.monotonic() - self._began, 1)
        error = future.exception()
        if error is None:
            self._emit(ImageEvent(self.image.name, "pulled" if self.image.upstream else "built", seconds=seconds))
            return None
        if not isinstance(error, Exception):
            raise error
        reason = error.reason if isinstance(error, ParityError) else "INTERNAL"
        self._emit(ImageEvent(self.image.name, "failed", text=_line(error), seconds=seconds, reason=reason))
        return error
