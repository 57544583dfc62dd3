"""Where images come from: pinned, resolved and recorded, mirrored, decided once. A fake docker stands in."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._images.catalog import Catalog, Image
from ansible_collections.gpuaas.parity.plugins.module_utils._images.source import Upstream, decide, load, pull, replace

CHECKOUT = Path(__file__).resolve().parents[3]
DIGEST = "sha256:" + "a" * 64
FAKE = """#!/bin/sh
echo "$@" >> {calls}
case "$1 $2" in
  "buildx imagetools") exit {asked} ;;
  "pull --quiet") [ {pulled} = 0 ] || {{ echo "connection refused" >&2; exit 1; }} ;;
  "image inspect") echo '["traefik@{digest}"]' ;;
esac
"""


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return install(tmp_path, monkeypatch)


def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: int = 0, pulled: int = 0) -> Path:
    calls = tmp_path / "calls"
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir(exist_ok=True)
    program.write_text(FAKE.format(calls=calls, asked=asked, pulled=pulled, digest=DIGEST))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return calls


UPSTREAM = {"base": Upstream("docker.io/library/debian:trixie-slim"), "traefik": Upstream("docker.io/library/traefik:v3", DIGEST)}


def test_the_shipped_file_names_a_tag_for_each() -> None:
    assert all(":" in upstream.reference for upstream in load(CHECKOUT / "images" / "upstream.yml").values())


def test_a_mirror_takes_the_place_of_every_registry() -> None:
    found = load(CHECKOUT / "images" / "upstream.yml", "127.0.0.1:5000")
    assert found["traefik"].reference.startswith("127.0.0.1:5000/library/traefik:")


@pytest.mark.parametrize(
    "entry",
    [
        '{reference: "traefik:v3", digest: ""}',
        '{reference: "docker.io/library/traefik", digest: ""}',
        '{reference: "docker.io/a/b:c", digest: "sha256:1"}',
        '{colour: "red"}',
    ],
)
def test_a_bad_entry_is_refused(tmp_path: Path, entry: str) -> None:
    path = tmp_path / "upstream.yml"
    path.write_text(f"upstream: 1\nimages:\n  traefik: {entry}\n")
    with pytest.raises(ParityError) as caught:
        load(path)
    assert caught.value.reason == "IMAGE_CATALOG_INVALID"


def test_auto_pulls_where_a_registry_answers_and_keeps_to_it(docker: Path, tmp_path: Path) -> None:
    assert decide("auto", UPSTREAM, tmp_path) == "pull"
    assert decide("auto", UPSTREAM, tmp_path) == "pull"
    assert len(docker.read_text().splitlines()) == 1


def test_auto_builds_where_none_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, asked=1)
    assert decide("auto", UPSTREAM, tmp_path) == "build"


def test_what_is_asked_for_is_not_second_guessed(docker: Path, tmp_path: Path) -> None:
    assert decide("build", UPSTREAM, tmp_path) == "build"
    assert not docker.exists()


def test_an_image_that_upstream_has_is_not_built_and_needs_no_parent() -> None:
    catalog = Catalog({"base": Image("base", bootstrap="trixie"), "traefik": Image("traefik", context="traefik", from_={"BASE": "base"})})
    assert [image.name for image in replace(catalog, UPSTREAM).ordered(["traefik"])] == ["traefik"]


def test_a_pinned_image_is_pulled_by_digest(docker: Path, tmp_path: Path) -> None:
    said: list[str] = []
    pull(Image("traefik", upstream="docker.io/library/traefik:v3", digest=DIGEST), "tag", tmp_path, said.append)
    assert f"pull --quiet docker.io/library/traefik@{DIGEST}" in docker.read_text()
    assert said == []


def test_an_unpinned_image_is_resolved_recorded_and_said(docker: Path, tmp_path: Path) -> None:
    said: list[str] = []
    image = Image("traefik", upstream="docker.io/library/traefik:v3")
    pull(image, "tag", tmp_path, said.append)
    assert json.loads((tmp_path / "upstream-digests.json").read_text()) == {"docker.io/library/traefik:v3": DIGEST}
    assert DIGEST in said[0]
    docker.unlink()
    pull(image, "tag", tmp_path, said.append)
    assert f"traefik@{DIGEST}" in docker.read_text()


def test_a_registry_that_refuses_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, pulled=1)
    with pytest.raises(ParityError) as caught:
        pull(Image("traefik", upstream="docker.io/library/traefik:v3"), "tag", tmp_path, print)
    assert caught.value.reason == "IMAGE_PULL_FAILED"
    assert "connection refused" in caught.value.seen


def test_images_pulled_side_by_side_are_all_recorded(docker: Path, tmp_path: Path) -> None:
    names = [f"docker.io/library/traefik:v{number}" for number in range(12)]
    with ThreadPoolExecutor(max_workers=12) as pool:
        list(pool.map(lambda name: pull(Image("traefik", upstream=name), "tag", tmp_path, str), names))
    assert set(json.loads((tmp_path / "upstream-digests.json").read_text())) == set(names)
