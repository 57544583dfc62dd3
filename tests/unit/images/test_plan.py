"""Which images are built, in which order, and what a failure does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._images.build import Builder
from ansible_collections.gpuaas.parity.plugins.module_utils._images.catalog import Catalog, Image
from ansible_collections.gpuaas.parity.plugins.module_utils._images.plan import build_all, missing
from ansible_collections.gpuaas.parity.plugins.module_utils._images.progress import BuildProgress

SILENT = BuildProgress(lambda _line: None)
CATALOG = Catalog(
    {
        "base": Image("base", bootstrap="trixie"),
        "left": Image("left", context=Path("left"), from_={"BASE": "base"}),
        "right": Image("right", context=Path("right"), from_={"BASE": "base"}),
        "top": Image("top", context=Path("top"), from_={"LEFT": "left"}),
    }
)


@dataclass(frozen=True)
class Recorder(Builder):
    """A builder that builds nothing and remembers the order."""

    have: frozenset[str] = frozenset()
    fails: str = ""
    order: list[str] = field(default_factory=list)
    together: threading.Barrier | None = None

    def exists(self, image: Image) -> bool:
        return image.name in self.have

    def build(self, image: Image, says: Callable[[str], None], announce: Callable[[str], None]) -> None:
        says(f"#1 [{image.name} 1/2] RUN something")
        if self.together and image.name in ("left", "right"):
            self.together.wait(timeout=10)
        if image.name == self.fails:
            raise ParityError("IMAGE_BUILD_FAILED", image.name)
        self.order.append(image.name)


def recorder(have: set[str] | None = None, fails: str = "", together: threading.Barrier | None = None) -> Recorder:
    return Recorder(Path(), {}, have=frozenset(have or ()), fails=fails, together=together)


def plan(builder: Recorder, *names: str) -> list[str]:
    return [image.name for image in missing(builder, CATALOG, list(names))]


def test_a_present_image_needs_no_parent() -> None:
    assert plan(recorder({"top"}), "top") == []


def test_a_missing_image_needs_its_missing_parents_first() -> None:
    assert plan(recorder({"base"}), "top") == ["left", "top"]
    assert plan(recorder(), "top", "right") == ["base", "left", "top", "right"]


def test_parents_are_built_before_their_children() -> None:
    builder = recorder()
    build_all(builder, missing(builder, CATALOG, ["top", "right"]), SILENT)
    assert builder.order.index("base") == 0
    assert builder.order.index("left") < builder.order.index("top")


def test_independent_images_are_built_at_once() -> None:
    builder = recorder({"base"}, together=threading.Barrier(2))
    build_all(builder, missing(builder, CATALOG, ["left", "right"]), SILENT)
    assert sorted(builder.order) == ["left", "right"]


def test_a_failure_stops_what_depends_on_it() -> None:
    builder = recorder({"base"}, fails="left")
    with pytest.raises(ParityError) as caught:
        build_all(builder, missing(builder, CATALOG, ["top"]), SILENT)
    assert caught.value.reason == "IMAGE_BUILD_FAILED"
    assert builder.order == []
