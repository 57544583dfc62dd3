"""The images that there are: in which order they are built, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._images.catalog import Catalog, Image, Upstream

CONTEXT = Path("here")


def catalog(**parents: str) -> Catalog:
    return Catalog({name: Image(name, f"image.yml: {name}", context=CONTEXT, from_={"P": parent}) for name, parent in parents.items()})


def test_parents_come_before_their_children() -> None:
    found = Catalog({**catalog(child="middle", middle="base").images, "base": Image("base", bootstrap="trixie")})
    assert [image.name for image in found.ordered(["child"])] == ["base", "middle", "child"]


def test_a_cycle_is_named() -> None:
    with pytest.raises(ParityError) as caught:
        catalog(a="b", b="a").ordered(["a"])
    assert caught.value.reason == "IMAGE_CATALOG_INVALID"
    assert "a -> b -> a" in caught.value.seen


def test_an_unknown_image_lists_the_known_ones() -> None:
    with pytest.raises(ParityError) as caught:
        catalog(a="a").ordered(["queue"])
    assert caught.value.reason == "IMAGE_UNKNOWN"
    assert "no image queue; there are a" in caught.value.seen


def test_an_unknown_parent_is_named_where_it_is_written() -> None:
    with pytest.raises(ParityError) as caught:
        catalog(a="queue").ordered(["a"])
    assert caught.value.reason == "IMAGE_UNKNOWN"
    assert caught.value.seen.startswith("image.yml: a: from.P: no image queue")


@pytest.mark.parametrize("reference", ["host.example:5000/team/app", "host.example:5000/team/app:v1"])
def test_a_digest_takes_the_place_of_a_tag_and_not_of_a_port(reference: str) -> None:
    assert Upstream.parse(f"{reference}@sha256:1") == Upstream(reference, "sha256:1")
    assert Upstream(reference).pinned("sha256:1") == "host.example:5000/team/app@sha256:1"
