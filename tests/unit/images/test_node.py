# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sending images to a node, and the container that they are baked in. A fake docker stands in."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._images import node
from ansible_collections.gpuaas.parity.plugins.module_utils._run.process import ProcessName, process_name

IMAGE = node.Loadable("redis", "gpuaas/redis:1", "key")
# Fails at what begins with $DOCKER_FAILS, after it wrote what it would have written.
FAKE = """#!/bin/sh
echo "$@" >> {calls}
case "$*" in
  "save "*) tar --create --file - --directory {folder} content ;;
  *"images import"*) cat > /dev/null ;;
  *" adopt "*) echo "redis sha256:abc" ;;
  "ps "*) cat {folder}/bakers ;;
  "inspect "*) cat {folder}/found ;;
esac
case "$*" in *"$DOCKER_FAILS"*) echo "$DOCKER_SAYS" >&2; exit 1 ;; esac
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(FAKE.format(calls=tmp_path / "calls", folder=tmp_path))
    program.chmod(0o755)
    for name in ("content", "bakers", "found"):
        (tmp_path / name).touch()
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    failing(monkeypatch, "nothing at all")
    return tmp_path / "calls"


def failing(monkeypatch: pytest.MonkeyPatch, at: str, says: str = "it went wrong") -> None:
    monkeypatch.setenv("DOCKER_FAILS", at)
    monkeypatch.setenv("DOCKER_SAYS", says)


def spelled(name: ProcessName | None) -> str:
    assert name is not None
    return f"{name.pid}/{name.start}/{name.boot}"


def test_a_node_gets_an_image_and_says_its_digest(calls: Path) -> None:
    assert node.load("it", [IMAGE]) == {"redis": node.Baked("key", "sha256:abc")}


@pytest.mark.parametrize("side", ["save gpuaas/redis:1", "images import"])
def test_a_failure_of_either_side_alone_is_one(calls: Path, monkeypatch: pytest.MonkeyPatch, side: str) -> None:
    failing(monkeypatch, side)
    with pytest.raises(ParityError) as caught:
        node.load("it", [IMAGE])
    assert caught.value.reason == "IMAGE_LOAD_FAILED" and "it went wrong" in caught.value.seen
    assert "adopt" not in calls.read_text()


def test_a_baked_node_provisions_no_volumes(calls: Path) -> None:
    node.bake("parent", "tag", [IMAGE], {})
    # kind applies this file at each create, whatever upstream's image has there.
    _before, _path, manifest = calls.read_text().partition("> /kind/manifests/default-storage.yaml <<'MANIFEST'\n")
    assert yaml.safe_load(manifest.partition("MANIFEST")[0]) == {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "standard"},
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "WaitForFirstConsumer",
    }


@pytest.mark.parametrize("step", ["run --detach", "exec --detach", "images import", "commit", "nothing at all"])
def test_the_container_of_a_bake_goes_however_it_ends(calls: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    failing(monkeypatch, step)
    try:
        node.bake("parent", "tag", [IMAGE], {})
        assert step == "nothing at all"
    except ParityError as error:
        assert "it went wrong" in error.seen
    assert calls.read_text().splitlines()[-1] == f"rm --force --volumes gpuaas-parity-bake-{os.getpid()}"


def test_the_container_of_a_bake_goes_when_that_is_interrupted(calls: Path) -> None:
    with pytest.raises(KeyboardInterrupt), node._containerd("parent"):
        raise KeyboardInterrupt
    assert calls.read_text().splitlines()[-1].startswith("rm --force --volumes")


def test_a_bake_removes_what_a_killed_one_left_and_spares_one_at_work(calls: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as other:
        alive = process_name(other.pid)
        assert alive is not None
        used_again = ProcessName(alive.pid, alive.start - 1, alive.boot)
        rows = [
            f"gpuaas-parity-bake-1 {spelled(alive)}",
            f"gpuaas-parity-bake-2 {spelled(used_again)}",
            "gpuaas-parity-bake-3 4194999/1/boot",
        ]
        # A node of the image that the last one made: a commit keeps the labels of its container.
        rows += ["gpuaas-parity-control-plane 4194999/1/boot"]
        (calls.parent / "bakers").write_text("".join(f"{row}\n" for row in rows))
        with node._containerd("parent"):
            pass
        other.kill()
    removed = [line.split()[-1] for line in calls.read_text().splitlines() if line.startswith("rm ")]
    assert removed == ["gpuaas-parity-bake-2", "gpuaas-parity-bake-3", f"gpuaas-parity-bake-{os.getpid()}"]
    assert f"--label gpuaas.parity.baker={spelled(process_name(os.getpid()))}" in calls.read_text()


def test_what_the_engine_knows_of_an_image_and_of_a_container(calls: Path) -> None:
    (calls.parent / "found").write_text('[{"Id": "x", "Config": {"Image": "of", "Labels": {"a": "b"}}}]')
    assert node.inspect("it", "container") == node.Labelled("x", "of", {"a": "b"})
    assert calls.read_text() == "inspect --type container it\n"


def test_an_error_of_the_engine_does_not_mean_that_there_is_none(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, "inspect", "Error: No such image: it")
    assert node.inspect("it") is None
    failing(monkeypatch, "inspect", "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?")
    with pytest.raises(ParityError) as caught:
        node.inspect("it")
    assert caught.value.reason == "HOST_DOCKER_UNREACHABLE"
