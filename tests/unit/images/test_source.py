"""Where images come from: pinned, resolved and recorded, mirrored, decided once. A fake docker stands in."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._images import source
from ansible_collections.gpuaas.parity.plugins.module_utils._images.catalog import Catalog, Image, Upstream
from ansible_collections.gpuaas.parity.plugins.module_utils._images.source import at, decide, pull, pulled

DIGEST = "sha256:" + "a" * 64
TAGGED = "docker.io/library/traefik:v3"
PINNED = f"docker.io/library/traefik@{DIGEST}"
CATALOG = Catalog(
    {
        "base": Image("base", bootstrap="trixie", upstream=Upstream("docker.io/library/debian:trixie-slim")),
        "traefik": Image("traefik", context=Path("traefik"), from_={"BASE": "base"}, upstream=Upstream(TAGGED, DIGEST)),
        "app": Image("app", context=Path("app"), from_={"BASE": "base"}),
    }
)
UNPINNED = Image("traefik", "image.yml: traefik", context=Path("traefik"), upstream=Upstream(TAGGED), pulled=True)
BY_REFERENCE = Image("app", "component.yml: image", upstream=Upstream("docker.io/library/traefik", DIGEST), pulled=True)
FAKE = """#!/bin/sh
echo "$@" >> {calls}
case "$1 $2" in
  "buildx imagetools") exit {asked} ;;
  "pull --quiet") [ {pulls} = 0 ] || {{ echo "connection refused" >&2; exit 1; }} ;;
  "image inspect") echo '["traefik@{digest}"]' ;;
  "inspect --type") [ {held} = 0 ] || {{ echo "{why}" >&2; exit {held}; }}; echo '[{{"Id": "x"}}]' ;;
esac
"""


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return install(tmp_path, monkeypatch)


def install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, asked: int = 0, pulls: int = 0, held: int = 1, why: str = "Error: No such image"
) -> Path:
    """A docker whose exit statuses these are: of asking a registry, of pulling, and of looking for an image in the engine."""
    calls = tmp_path / "calls"
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir(exist_ok=True)
    program.write_text(FAKE.format(calls=calls, asked=asked, pulls=pulls, held=held, why=why, digest=DIGEST))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return calls


def test_a_mirror_takes_the_place_of_every_registry() -> None:
    found = at("127.0.0.1:5000", CATALOG)
    assert found["traefik"].upstream == Upstream("127.0.0.1:5000/library/traefik:v3", DIGEST)
    assert found["app"] == CATALOG["app"]
    assert at("", CATALOG) == CATALOG


def test_auto_pulls_where_a_registry_answers_and_keeps_to_it(docker: Path, tmp_path: Path) -> None:
    assert decide("auto", CATALOG, tmp_path) == "pull"
    assert decide("auto", CATALOG, tmp_path) == "pull"
    assert docker.read_text().splitlines() == ["buildx imagetools inspect docker.io/library/debian:trixie-slim"]


def test_auto_builds_where_none_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, asked=1)
    assert decide("auto", CATALOG, tmp_path) == "build"


def test_auto_builds_where_an_answer_does_not_come_in_time(docker: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "docker"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(source, "_ASK_SECONDS", 0.1)
    assert decide("auto", CATALOG, tmp_path) == "build"


def test_an_engine_that_fails_has_not_said_that_it_lacks_the_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = install(tmp_path, monkeypatch, why="Error response from daemon: boom")
    with pytest.raises(ParityError) as caught:
        pull(pulled(CATALOG)["traefik"], "gpuaas/traefik:1", tmp_path, print)
    assert caught.value.reason == "COMMAND_FAILED" and "boom" in caught.value.seen
    assert "pull" not in calls.read_text()


def test_what_is_asked_for_is_not_second_guessed(docker: Path, tmp_path: Path) -> None:
    assert decide("build", CATALOG, tmp_path) == "build"
    assert not docker.exists()


def test_an_image_that_upstream_has_is_not_built_and_needs_no_parent() -> None:
    found = pulled(CATALOG)
    assert [image.name for image in found.ordered(["traefik"])] == ["traefik"]
    assert [image.pulled for image in found.ordered(["app"])] == [True, False]


def test_a_pinned_image_is_pulled_by_digest(docker: Path, tmp_path: Path) -> None:
    said: list[str] = []
    pull(pulled(CATALOG)["traefik"], "tag", tmp_path, said.append)
    assert docker.read_text().splitlines()[1:] == [f"pull --quiet {PINNED}", f"tag {PINNED} tag"]
    assert said == []


def test_an_unpinned_image_is_resolved_recorded_and_said(docker: Path, tmp_path: Path) -> None:
    said: list[str] = []
    pull(UNPINNED, "tag", tmp_path, said.append)
    assert json.loads((tmp_path / "upstream-digests.json").read_text()) == {TAGGED: DIGEST}
    assert DIGEST in said[0] and "image.yml: traefik" in said[0]
    docker.unlink()
    pull(UNPINNED, "tag", tmp_path, said.append)
    assert f"pull --quiet {PINNED}" in docker.read_text()


def test_what_the_engine_holds_is_not_pulled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = install(tmp_path, monkeypatch, held=0)
    pull(BY_REFERENCE, "tag", tmp_path, print, may_ask=False)
    assert calls.read_text().splitlines() == [f"inspect --type image {PINNED}", f"tag {PINNED} tag"]


def test_what_the_engine_lacks_is_not_pulled_where_no_registry_may_be_asked(docker: Path, tmp_path: Path) -> None:
    with pytest.raises(ParityError) as caught:
        pull(BY_REFERENCE, "tag", tmp_path, print, may_ask=False)
    assert caught.value.reason == "IMAGE_PULL_FAILED"
    assert "component.yml: image" in caught.value.seen
    assert caught.value.do == f"docker pull {PINNED}; then {{up}}"
    assert "pull --quiet" not in docker.read_text()


@pytest.mark.parametrize(("image", "advice"), [(UNPINNED, "IMAGES_SOURCE=build"), (BY_REFERENCE, "correct the reference")])
def test_a_registry_that_refuses_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, image: Image, advice: str) -> None:
    install(tmp_path, monkeypatch, pulls=1)
    with pytest.raises(ParityError) as caught:
        pull(image, "tag", tmp_path, print)
    assert caught.value.reason == "IMAGE_PULL_FAILED"
    assert "connection refused" in caught.value.seen and image.where in caught.value.seen
    assert advice in caught.value.do


def test_images_pulled_side_by_side_are_all_recorded(docker: Path, tmp_path: Path) -> None:
    names = [f"docker.io/library/traefik:v{number}" for number in range(12)]
    images = [Image("traefik", upstream=Upstream(name), pulled=True) for name in names]
    with ThreadPoolExecutor(max_workers=12) as pool:
        list(pool.map(lambda image: pull(image, "tag", tmp_path, str), images))
    assert set(json.loads((tmp_path / "upstream-digests.json").read_text())) == set(names)
