"""Which images are built, in which order, and what a failure does."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._images import plan as plan_module
from ansible_collections.gpuaas.parity.plugins.module_utils._images.build import Builder
from ansible_collections.gpuaas.parity.plugins.module_utils._images.catalog import Catalog, Image
from ansible_collections.gpuaas.parity.plugins.module_utils._images.plan import build_all, missing
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import Event, Note, Wait, nobody
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import Image as ImageEvent

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
    build_all(builder, missing(builder, CATALOG, ["top", "right"]), nobody)
    assert builder.order.index("base") == 0
    assert builder.order.index("left") < builder.order.index("top")


def test_independent_images_are_built_at_once() -> None:
    builder = recorder({"base"}, together=threading.Barrier(2))
    build_all(builder, missing(builder, CATALOG, ["left", "right"]), nobody)
    assert sorted(builder.order) == ["left", "right"]


def test_a_failure_stops_what_depends_on_it() -> None:
    builder = recorder({"base"}, fails="left")
    with pytest.raises(ParityError) as caught:
        build_all(builder, missing(builder, CATALOG, ["top"]), nobody)
    assert caught.value.reason == "IMAGE_BUILD_FAILED"
    assert builder.order == []


class Failing(Recorder):
    """Image left fails at once, right is done only when the user has read of it."""

    read = threading.Event()

    def build(self, image: Image, says: Callable[[str], None], announce: Callable[[str], None]) -> None:
        if image.name == "left":
            raise ParityError("IMAGE_BUILD_FAILED", "left: ended with status 1\n...", details={"line": "E: no space left"})
        assert self.read.wait(timeout=30)
        self.order.append(image.name)


def test_a_failure_is_told_at_once_while_the_others_go_on() -> None:
    builder, notes = Failing(Path(), {}, have=frozenset({"base"})), []

    def emit(event: Event) -> None:
        if isinstance(event, Note):
            notes.append(event.text.splitlines())
            builder.read.set()

    with pytest.raises(ParityError) as caught:
        build_all(builder, missing(builder, CATALOG, ["top", "right"]), emit)
    assert notes == [["image left failed: E: no space left", "  not built without it: top", "  goes on: right"]]
    assert builder.order == ["right"]
    assert caught.value.seen.startswith("left: ended")


def test_what_was_not_begun_is_built_all_the_same() -> None:
    builder = recorder({"base"}, fails="left")
    with pytest.raises(ParityError):
        build_all(builder, missing(builder, CATALOG, ["top", "right"]), nobody, workers=1)
    assert builder.order == ["right"]


def test_every_failure_is_in_the_end() -> None:
    class All(Recorder):
        def build(self, image: Image, says: Callable[[str], None], announce: Callable[[str], None]) -> None:
            raise ParityError("IMAGE_BUILD_FAILED", image.name, details={"line": f"{image.name} broke"})

    with pytest.raises(ParityError) as caught:
        build_all(All(Path(), {}), [CATALOG["left"], CATALOG["right"]], nobody, workers=1)
    assert caught.value.seen == "left\nfailed as well: right broke"


def told(builder: Recorder, *names: str) -> list[Event]:
    """The events of a build of ``names``, without how long it took."""
    events: list[Event] = []
    with contextlib.suppress(ParityError):
        build_all(builder, missing(builder, CATALOG, list(names)), events.append)
    timed = [event for event in events if not isinstance(event, Note)]
    return [replace(event, elapsed=0.0) if isinstance(event, Wait) else replace(event, seconds=None) for event in timed]  # type: ignore[arg-type]


def test_a_build_tells_of_each_image_and_of_how_many_are_there() -> None:
    events = told(recorder({"base"}), "left")
    assert events[0] == ImageEvent("left", "started")
    assert ImageEvent("left", "built") in events
    assert [event for event in events if isinstance(event, Wait)][-1].total == 1


def test_every_build_that_began_ends_with_an_event() -> None:
    events = told(recorder({"base"}, fails="left"), "left", "right")
    assert ImageEvent("left", "failed", text="IMAGE_BUILD_FAILED: left", reason="IMAGE_BUILD_FAILED") in events
    assert ImageEvent("right", "built") in events


@pytest.mark.parametrize(
    ("line", "step"),
    [
        ("#12 [kubernetes 2/5] RUN go build", "kubernetes 2/5"),
        ("I: running apt-get update...", "running apt-get update..."),
        ("#12 34.5 compiling", ""),
        ("", ""),
    ],
)
def test_the_step_of_a_build_is_read_from_what_its_program_prints(line: str, step: str) -> None:
    build = plan_module._Build(CATALOG["left"], nobody)
    build.line(line)
    assert str(build) == (f"left [{step}]" if step else "left")
