# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a set of images about: every image once, parents first, independent ones at once."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from ansible_collections.gpuaas.parity.plugins.module_utils._images.build import Builder
from ansible_collections.gpuaas.parity.plugins.module_utils._images.catalog import Catalog, Image
from ansible_collections.gpuaas.parity.plugins.module_utils._images.progress import BuildProgress

_STEP = re.compile(r"^#\d+ \[(?P<step>[^\]]+)\]")
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


def build_all(builder: Builder, images: list[Image], progress: BuildProgress, workers: int = 8) -> list[str]:
    """Build ``images``, parents first; returns the names built.

    The first failure stops new builds and is raised once the running ones end.
    """
    waiting = {image.name: image for image in images}
    running: dict[Future[None], Image] = {}
    steps: dict[str, str] = {}
    lock = threading.Lock()
    built: list[str] = []
    started = time.monotonic()

    def says(name: str) -> Callable[[str], None]:
        def line(text: str) -> None:
            step = _STEP.match(text)
            if step:
                with lock:
                    steps[name] = step["step"]

        return line

    with ThreadPoolExecutor(max_workers=workers) as pool:
        try:
            while waiting or running:
                ready = [i for i in waiting.values() if not set(i.from_.values()) & (set(waiting) | {r.name for r in running.values()})]
                for image in ready:
                    del waiting[image.name]
                    running[pool.submit(builder.build, image, says(image.name), progress.say)] = image
                done, _pending = wait(running, timeout=_HEARTBEAT_SECONDS, return_when=FIRST_COMPLETED)
                for future in done:
                    image = running.pop(future)
                    future.result()
                    built.append(image.name)
                with lock:
                    now = ", ".join(f"{i.name} [{steps[i.name]}]" if i.name in steps else i.name for i in running.values())
                progress.beat(len(built), len(images), time.monotonic() - started, now)
        except BaseException:
            waiting.clear()
            raise
        finally:
            progress.clear()
    return built
