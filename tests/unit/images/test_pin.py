"""What a node lacks is loaded, and what it holds is pinned. A fake docker stands in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._images import node as nodes
from ansible_collections.gpuaas.parity.plugins.module_utils._images.pin import pin
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import nobody

DIGEST = "sha256:" + "d" * 64
WANTED = {"db": "k1", "app": "k2"}
NODE = nodes.Labelled("id", "node:1", {f"{nodes.LABEL}db": f"k1@{DIGEST}", f"{nodes.LABEL}app": f"k0@{DIGEST}"})


@pytest.fixture(autouse=True)
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was sent to the node, which is called `a-node` and holds the newest db and an older app."""
    sent: list[str] = []

    def load(_container: str, images: list[nodes.Loadable]) -> dict[str, nodes.Baked]:
        sent.extend(image.tag for image in images)
        return {image.name: nodes.Baked(image.key, DIGEST) for image in images}

    monkeypatch.setattr(nodes, "inspect", lambda subject, _kind: NODE if subject == "a-node" else None)
    monkeypatch.setattr(nodes, "load", load)
    return sent


def record(state: Path, node: str, held: dict[str, str]) -> Path:
    folder = state / "images"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kustomization.yaml").touch()
    images = {name: {"key": key, "digest": DIGEST} for name, key in held.items()}
    (folder / "images.json").write_text(json.dumps({"node": node, "images": images}))
    return folder


def test_what_the_node_lacks_is_loaded_and_all_of_it_pinned(tmp_path: Path, loaded: list[str]) -> None:
    done = pin(nobody, "a-node", tmp_path, WANTED)
    assert done == {"changed": True, "loaded": ["app"], "images": {"db": DIGEST, "app": DIGEST}}
    assert loaded == ["gpuaas-parity/app:k2"]
    component = yaml.safe_load((tmp_path / "images" / "kustomization.yaml").read_text())
    assert component["images"] == [{"name": name, "newName": f"gpuaas.localhost/{name}", "digest": DIGEST} for name in ("app", "db")]
    said = json.loads((tmp_path / "images" / "images.json").read_text())
    assert said["node"] == "id" and said["images"]["app"]["ref"] == f"gpuaas.localhost/app@{DIGEST}"


def test_a_second_time_nothing_changes(tmp_path: Path, loaded: list[str]) -> None:
    pin(nobody, "a-node", tmp_path, WANTED)
    loaded.clear()
    assert not pin(nobody, "a-node", tmp_path, WANTED)["changed"]
    assert loaded == []


def test_a_dry_run_says_what_is_lacking_and_writes_nothing(tmp_path: Path, loaded: list[str]) -> None:
    assert pin(nobody, "a-node", tmp_path, WANTED, dry=True)["loaded"] == ["app"]
    assert loaded == [] and not (tmp_path / "images").exists()


def test_without_a_node_nothing_can_be_pinned(tmp_path: Path) -> None:
    with pytest.raises(ParityError) as caught:
        pin(nobody, "another", tmp_path, WANTED)
    assert caught.value.reason == "IMAGE_LOAD_FAILED"


def test_nothing_changes_only_when_what_is_pinned_is_what_the_node_holds(tmp_path: Path) -> None:
    folder = record(tmp_path, "id", WANTED)
    assert not pin(nobody, "a-node", tmp_path, WANTED)["changed"]
    for node, held in (("another", WANTED), ("id", WANTED | {"app": "k0"}), ("id", {"db": "k1"})):
        record(tmp_path, node, held)
        assert pin(nobody, "a-node", tmp_path, WANTED, dry=True)["changed"]
    record(tmp_path, "id", WANTED)
    (folder / "kustomization.yaml").unlink()
    assert pin(nobody, "a-node", tmp_path, WANTED)["changed"]
    assert (folder / "kustomization.yaml").is_file()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"node": "id"}', '{"node": "id", "images": {"app": "older"}}'])
def test_a_broken_record_is_written_again(tmp_path: Path, text: str) -> None:
    (record(tmp_path, "id", WANTED) / "images.json").write_text(text)
    assert pin(nobody, "a-node", tmp_path, WANTED)["changed"]
    assert not pin(nobody, "a-node", tmp_path, WANTED)["changed"]
