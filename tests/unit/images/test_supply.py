"""What is built and baked for what the engine holds already. A fake docker stands in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._images import supplied, supply
from ansible_collections.gpuaas.parity.plugins.module_utils._images.build import REPOSITORY
from ansible_collections.gpuaas.parity.plugins.module_utils._images.catalog import Catalog, Image
from ansible_collections.gpuaas.parity.plugins.module_utils._images.node import DEFAULT_CNI
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import Event, Note, nobody

CATALOG = Catalog({name: Image(name, bootstrap="trixie", developed=name == "app") for name in ("kind", "node", "db", "app")})
CATALOG = Catalog({**CATALOG.images, "kind": replace(CATALOG["kind"], export="kind")})


def planned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, node_images: list[str], *, lane: Sequence[str] = ("app", "db"), dry: bool = True
) -> dict[str, Any]:
    """What is planned when every image is built and of node images only ``node_images`` are there."""
    listed = "\n".join(f"{REPOSITORY}/{name}:{key}" for name, key in keys().items())
    (tmp_path / "cache" / "bin" / keys()["kind"]).mkdir(parents=True, exist_ok=True)
    (tmp_path / "cache" / "bin" / keys()["kind"] / "kind").touch()
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir(exist_ok=True)
    present = "|".join(node_images) or "none"
    program.write_text(
        '#!/bin/sh\ncase "$*" in\n'
        f"  'image ls'*) echo '{listed}' ;;\n"
        f'  *inspect*) case "$4" in {present}) echo \'[{{"Id": "id", "Config": {{"Labels": {{"{DEFAULT_CNI}": "true"}}}}}}]\' ;; '
        '*) echo "Error: No such image" >&2; exit 1 ;; esac ;;\n'
        "esac\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    subject = supply.Supply(CATALOG, tmp_path / "cache", list(lane), "a-node", "x86_64")
    return subject.ensure(nobody, tmp_path / "state", dry=dry)


def keys() -> dict[str, str]:
    return supply.keys(list(CATALOG.images.values()), "x86_64")


def test_without_a_node_image_both_layers_are_baked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(planned(tmp_path, monkeypatch, [])["baked"]) == 2


def test_with_the_lower_layer_only_the_upper_one_is_baked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lower, upper = planned(tmp_path, monkeypatch, [])["baked"]
    assert planned(tmp_path, monkeypatch, [lower])["baked"] == [upper]


def test_a_whole_node_image_needs_no_lower_layer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _lower, upper = planned(tmp_path, monkeypatch, [])["baked"]
    assert planned(tmp_path, monkeypatch, [upper])["baked"] == []


def test_what_is_found_is_left_for_the_steps_after_and_a_dry_run_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _lower, upper = planned(tmp_path, monkeypatch, [])["baked"]
    file = supplied.file_of(tmp_path / "state")
    assert not file.exists()
    done = planned(tmp_path, monkeypatch, [upper], dry=False)
    assert supplied.Supplied.read(file) == supplied.Supplied(
        {name: keys()[name] for name in ("app", "db")},
        node_image=upper,
        node_key=done["node_key"],
        default_cni=True,
        kind=str(tmp_path / "cache" / "bin" / keys()["kind"] / "kind"),
    )


def test_a_lane_of_which_nothing_is_developed_needs_one_layer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(planned(tmp_path, monkeypatch, [], lane=["db"])["baked"]) == 1


def test_without_a_node_only_the_lane_is_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ncase \"$*\" in 'image ls'*) echo '{REPOSITORY}/db:{keys()['db']}' ;; *) exit 9 ;; esac\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    local = supply.Supply(CATALOG, tmp_path / "cache", ["app", "db"], "", "x86_64")
    planned = local.ensure(nobody, tmp_path / "state", dry=True)
    assert (planned["built"], planned["baked"], planned["node_image"]) == (["app"], [], "")
    assert planned["image_keys"] == {name: keys()[name] for name in ("app", "db")}


def test_of_an_image_that_is_built_the_oldest_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    others = "\n".join(f"{REPOSITORY}/app:{number}" for number in range(9))
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(
        '#!/bin/sh\ncase "$*" in\n'
        f"  'image ls --format'*) echo '{REPOSITORY}/db:{keys()['db']}' ;;\n"
        f"  'image ls {REPOSITORY}/app '*) echo '{others}' ;;\n"
        f"  'image rm {REPOSITORY}/app:8') ;;\n"
        "  *) exit 9 ;;\nesac\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setattr(supply, "build_all", lambda _builder, images, _emit: [image.name for image in images])
    said: list[Event] = []
    local = supply.Supply(CATALOG, tmp_path / "cache", ["app", "db"], "", "x86_64")
    assert local.ensure(said.append, tmp_path / "state")["built"] == ["app"]
    assert said == [Note(f"removed the older image {REPOSITORY}/app:8")]
