"""What is built and baked for what the engine holds already. A fake docker stands in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._images import supply
from ansible_collections.gpuaas.parity.plugins.module_utils._images.build import REPOSITORY
from ansible_collections.gpuaas.parity.plugins.module_utils._images.catalog import Catalog, Image
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import Event, Note, nobody

CATALOG = Catalog({name: Image(name, bootstrap="trixie", developed=name == "app") for name in ("kind", "node", "db", "app")})


def planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, node_images: list[str]) -> dict[str, Any]:
    """What a dry run plans when every image is built and only the last of ``node_images`` are there."""
    listed = "\n".join(f"{REPOSITORY}/{name}:{key}" for name, key in keys(tmp_path).items())
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir(exist_ok=True)
    present = "|".join(node_images) or "none"
    program.write_text(
        '#!/bin/sh\ncase "$*" in\n'
        f"  'image ls'*) echo '{listed}' ;;\n"
        f'  *inspect*) case "$5" in {present}) echo \'"id" "" {{}}\' ;; *) exit 1 ;; esac ;;\n'
        "esac\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return subject(tmp_path).ensure(nobody, tmp_path / "state", dry=True)


def subject(tmp_path: Path) -> supply.Supply:
    return supply.Supply(CATALOG, tmp_path, tmp_path / "cache", ["app", "db"], "a-node", "x86_64")


def keys(tmp_path: Path) -> dict[str, str]:
    return supply.keys(CATALOG, list(CATALOG.images.values()), tmp_path, "x86_64")


def test_without_a_node_image_both_layers_are_baked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(planned(tmp_path, monkeypatch, [])["baked"]) == 2


def test_with_the_lower_layer_only_the_upper_one_is_baked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lower, upper = planned(tmp_path, monkeypatch, [])["baked"]
    assert planned(tmp_path, monkeypatch, [lower])["baked"] == [upper]


def test_a_whole_node_image_needs_no_lower_layer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _lower, upper = planned(tmp_path, monkeypatch, [])["baked"]
    assert planned(tmp_path, monkeypatch, [upper])["baked"] == []


def lock(tmp_path: Path, node: str, held: dict[str, str]) -> Path:
    folder = tmp_path / "state" / "images"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kustomization.yaml").touch()
    (folder / "images.json").write_text(
        json.dumps({"node": node, "images": {name: {"key": key, "digest": "sha256:0"} for name, key in held.items()}})
    )
    return folder


def test_nothing_is_left_to_be_locked_when_the_lock_names_what_the_node_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = {name: key for name, key in keys(tmp_path).items() if name in ("app", "db")}
    assert not planned(tmp_path, monkeypatch, ["a-node"])["locked"]
    folder = lock(tmp_path, "id", wanted)
    assert planned(tmp_path, monkeypatch, ["a-node"])["locked"]
    assert not planned(tmp_path, monkeypatch, [])["locked"]
    for node, held in (("another", wanted), ("id", wanted | {"app": "older"}), ("id", {"db": wanted["db"]})):
        lock(tmp_path, node, held)
        assert not planned(tmp_path, monkeypatch, ["a-node"])["locked"]
    lock(tmp_path, "id", wanted)
    (folder / "kustomization.yaml").unlink()
    assert not planned(tmp_path, monkeypatch, ["a-node"])["locked"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"node": "id"}', '{"node": "id", "images": {"app": "older"}}'])
def test_a_lock_that_is_none_is_written_again(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (lock(tmp_path, "id", {}) / "images.json").write_text(text)
    assert not planned(tmp_path, monkeypatch, ["a-node"])["locked"]


def test_without_a_node_only_the_lane_is_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ncase \"$*\" in 'image ls'*) echo '{REPOSITORY}/db:{keys(tmp_path)['db']}' ;; *) exit 9 ;; esac\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    local = supply.Supply(CATALOG, tmp_path, tmp_path / "cache", ["app", "db"], "", "x86_64")
    planned = local.ensure(nobody, tmp_path / "state", dry=True)
    assert planned == {"built": ["app"], "baked": [], "image_keys": {name: keys(tmp_path)[name] for name in ("app", "db")}}


def test_of_an_image_that_is_built_the_oldest_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    others = "\n".join(f"{REPOSITORY}/app:{number}" for number in range(9))
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(
        '#!/bin/sh\ncase "$*" in\n'
        f"  'image ls --format'*) echo '{REPOSITORY}/db:{keys(tmp_path)['db']}' ;;\n"
        f"  'image ls {REPOSITORY}/app '*) echo '{others}' ;;\n"
        f"  'image rm {REPOSITORY}/app:8') ;;\n"
        "  *) exit 9 ;;\nesac\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setattr(supply, "build_all", lambda _builder, images, _emit: [image.name for image in images])
    said: list[Event] = []
    local = supply.Supply(CATALOG, tmp_path, tmp_path / "cache", ["app", "db"], "", "x86_64")
    assert local.ensure(said.append, tmp_path / "state")["built"] == ["app"]
    assert said == [Note(f"removed the older image {REPOSITORY}/app:8")]
