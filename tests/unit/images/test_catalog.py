"""The image catalog: what is refused, and in which order images are built."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._images.catalog import load

CHECKOUT = Path(__file__).resolve().parents[3]


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "catalog.yml"
    path.write_text(text)
    return path


def test_parents_come_before_their_children() -> None:
    names = [image.name for image in load(CHECKOUT / "images" / "catalog.yml").ordered(["postgres", "node"])]
    assert names.index("base") < names.index("keycloak-schema") < names.index("postgres")
    assert names.index("golang") < names.index("node")


def test_every_context_and_service_image_exists() -> None:
    catalog = load(CHECKOUT / "images" / "catalog.yml")
    for image in catalog.images.values():
        if image.context:
            assert (CHECKOUT / "images" / image.context / "Dockerfile").is_file(), image.name


def test_kube_proxy_is_the_one_that_either_node_image_holds() -> None:
    manifest = (CHECKOUT / "roles" / "cluster" / "files" / "manifests" / "kube-proxy.yaml").read_text()
    image = next(line.split()[-1] for line in manifest.splitlines() if line.strip().startswith("image:"))
    assert image == load(CHECKOUT / "images" / "catalog.yml")["kube-proxy"].node_as
    upstream = yaml.safe_load((CHECKOUT / "images" / "upstream.yml").read_text())["images"]["node"]["reference"]
    assert image.rpartition(":")[2] == upstream.rpartition(":")[2]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("images: [", "catalog.yml"),
        ("other: {}", "no mapping `images`"),
        ("images: {a: {context: a, colour: red}}", "images.a: unknown ['colour']"),
        ("images: {a: {}}", "images.a: needs `bootstrap` or `context`"),
        ("images: {a: {context: a, bootstrap: trixie}}", "images.a: needs `bootstrap` or `context`"),
    ],
)
def test_a_bad_entry_is_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ParityError) as caught:
        load(write(tmp_path, text))
    assert caught.value.reason == "IMAGE_CATALOG_INVALID"
    assert says in caught.value.seen


def test_a_cycle_is_named(tmp_path: Path) -> None:
    catalog = load(write(tmp_path, "images: {a: {context: a, from: {B: b}}, b: {context: b, from: {A: a}}}"))
    with pytest.raises(ParityError) as caught:
        catalog.ordered(["a"])
    assert "a -> b -> a" in caught.value.seen


def test_an_unknown_image_lists_the_known_ones(tmp_path: Path) -> None:
    catalog = load(write(tmp_path, "images: {base: {bootstrap: trixie}}"))
    with pytest.raises(ParityError) as caught:
        catalog.ordered(["nats"])
    assert caught.value.reason == "IMAGE_UNKNOWN"
    assert "base" in caught.value.seen
