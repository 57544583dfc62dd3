"""The catalog of a platform: shared images, those of its components, and those that are named by reference."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import load_platform
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._images.assemble import catalog_of
from ansible_collections.gpuaas.parity.plugins.module_utils._images.catalog import Catalog, Upstream
from ansible_collections.gpuaas.parity.tests.unit.images.conftest import PLATFORM, Write

CHECKOUT = Path(__file__).resolve().parents[3]
DIGEST = "sha256:" + "a" * 64
Add = Callable[..., None]


def of(team: Path) -> Catalog:
    return catalog_of(load_platform(team), team.parent)


def refused(team: Path) -> ParityError:
    with pytest.raises(ParityError) as caught:
        of(team)
    return caught.value


@pytest.mark.parametrize("folder", ["platform", "examples/minimal/platform"])
def test_every_image_of_the_platforms_that_we_ship_can_be_built(folder: str) -> None:
    platform = load_platform(CHECKOUT / folder)
    catalog = catalog_of(platform, CHECKOUT)
    for image in catalog.ordered(sorted(catalog.images)):
        assert image.bootstrap or (image.context and (image.context / "Dockerfile").is_file()), image.name
        assert all(folder.is_dir() for folder in image.contexts.values()), image.name
    assert {service.image for service in platform.contract.services.values()} - {""} <= set(catalog.images)


def test_kube_proxy_is_the_one_that_either_node_image_holds() -> None:
    catalog = catalog_of(load_platform(CHECKOUT / "platform"), CHECKOUT)
    text = (CHECKOUT / "platform/components/kube-proxy/kubernetes/kube-proxy.yaml").read_text()
    image = next(line.split()[-1] for line in text.splitlines() if line.strip().startswith("image:"))
    assert image == catalog["kube-proxy"].node_as
    upstream = catalog["node"].upstream
    assert upstream and image.rpartition(":")[2] == upstream.reference.rpartition(":")[2]


def test_a_component_brings_its_images_beside_the_shared_ones(team: Path, component: Add) -> None:
    component("app", "app: {from: {BASE: base}, contexts: {src: ../../../src}, developed: true}\napp-tools: {target: tools}\n")
    found = of(team)
    assert set(found.images) == {"base", "node", "app", "app-tools"}
    app = found["app"]
    assert (app.context, dict(app.contexts)) == (team / "components/app/image", {"src": team / "src"})
    assert app.developed and app.from_ == {"BASE": "base"}
    assert found["node"].context == team.parent / "images/node"


def test_an_image_that_is_named_by_reference_is_pulled_under_the_name_of_its_component(team: Path, component: Add) -> None:
    component("app", said=f'image: {{reference: "host.example/team/app:v1@{DIGEST}"}}\n')
    app = of(team)["app"]
    assert app.pulled and not app.is_buildable
    assert app.upstream == Upstream("host.example/team/app:v1", DIGEST)
    assert load_platform(team).contract.services["app"].image == "app"


@pytest.mark.parametrize(
    "reference", ["app", "host.example/app", "host.example/app:v1", f"app@{DIGEST}", "host.example/app@sha256:12", f"HOST/app@{DIGEST}"]
)
def test_a_reference_without_host_or_digest_is_refused(team: Path, component: Add, reference: str) -> None:
    component("app", said=f'image: {{reference: "{reference}"}}\n')
    error = refused(team)
    assert error.reason == "CONTRACT_INVALID"
    assert "team/components/app/component.yml: image (line 2): must be the name of an image, or {reference: host/" in error.seen


@pytest.mark.parametrize(("first", "second"), [("one", "two"), ("base", "one")])
def test_a_name_that_two_define_is_refused(team: Path, component: Add, first: str, second: str) -> None:
    component("one", f"{first}: {{}}\n")
    component("two", f"{first}: {{}}\n{second}: {{}}\n")
    error = refused(team)
    assert error.reason == "IMAGE_TWICE"
    assert f"components/{'two' if first == 'one' else 'one'}/image/image.yml: {first} (line 1)" in error.seen


def test_a_reference_to_an_image_whose_name_is_taken_is_refused(team: Path, component: Add) -> None:
    component("base", said=f'image: {{reference: "host.example/app@{DIGEST}"}}\n')
    assert refused(team).reason == "IMAGE_TWICE"


@pytest.fixture
def above(write: Write, team: Path) -> Path:
    """A platform that extends the one in team/ and leaves its component `realm` out."""
    text = PLATFORM.replace("platform: 1\n", "platform: 1\nextends: ../team\nwithout: [realm]\n")
    return write("above/platform.yml", text).parent


def test_what_is_left_out_is_still_there_to_build_from(team: Path, above: Path, component: Add) -> None:
    component("db", "db: {from: {SCHEMA: realm-schema}}\n")
    component("realm", "realm-schema: {}\n")
    assert [image.name for image in of(above).ordered(["db"])] == ["realm-schema", "db"]


def test_what_is_left_out_makes_room_for_one_of_the_same_name(write: Write, team: Path, above: Path, component: Add) -> None:
    component("realm", "realm: {target: theirs}\n")
    for path in (team / "components/realm").rglob("*.y*ml"):
        write(f"above/components/realm/{path.relative_to(team / 'components/realm')}", path.read_text())
    write("above/components/realm/image/image.yml", "realm: {target: ours}\n")
    assert of(above)["realm"].target == "ours"


@pytest.mark.parametrize(
    ("text", "reason", "says"),
    [
        ("app: [", "IMAGE_CATALOG_INVALID", "image.yml"),
        ("[app]", "IMAGE_CATALOG_INVALID", "must be a mapping"),
        ("app: {}\napp: {}", "CONTRACT_DUPLICATE_KEY", "app (line 2)"),
        ("app: {colour: red}", "IMAGE_CATALOG_INVALID", "app.colour (line 1): is unknown here"),
        ("app: {bootstrap: trixie, target: x}", "IMAGE_CATALOG_INVALID", "app.target (line 1): is unknown here"),
        ("app: {context: /tmp}", "IMAGE_CATALOG_INVALID", "app.context (line 1): must be a folder, relative"),
        (
            'app: {upstream: {reference: "traefik:v3"}}',
            "IMAGE_CATALOG_INVALID",
            "app.upstream.reference (line 1): must be host/repository:tag",
        ),
        ("app: {upstream: {reference: host.example/a/b}}", "IMAGE_CATALOG_INVALID", "must be host/repository:tag"),
        (
            'app: {upstream: {reference: "host.example/a:b", digest: "sha256:1"}}',
            "IMAGE_CATALOG_INVALID",
            "app.upstream.digest (line 1): must be sha256: and 64",
        ),
    ],
)
def test_a_bad_entry_is_named_with_its_file_and_line(team: Path, component: Add, text: str, reason: str, says: str) -> None:
    component("app", text + "\n")
    error = refused(team)
    assert error.reason == reason
    assert "team/components/app/image/image.yml" in error.seen
    assert says in error.seen
