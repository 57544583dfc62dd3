# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A kind run refuses what is not its own before it starts, stops, removes or writes anything."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._kind import converge
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.create import create
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.spec import ClusterSpec

Verb = Callable[[Any, ClusterSpec], object]


def present(world: Any, spec: ClusterSpec) -> object:
    return converge.present(world.site, spec, world.waiting, creator=functools.partial(create, streamer=world.stream))


def stopped(world: Any, spec: ClusterSpec) -> object:
    return converge.stopped(world.site, spec)


def absent(world: Any, spec: ClusterSpec) -> object:
    return converge.absent(world.site, spec)


every_verb = pytest.mark.parametrize("act", [present, stopped, absent])


def rendered(world: Any, text: str) -> None:
    folder = world.state_dir / "rendered"
    folder.mkdir(exist_ok=True)
    (folder / "contract.json").write_text(text)


def refused(act: Verb, world: Any, spec: ClusterSpec) -> ParityError:
    world.calls.clear()
    with pytest.raises(ParityError) as caught:
        act(world, spec)
    assert world.writes() == []
    return caught.value


@every_verb
@pytest.mark.parametrize("target", ["gitops", "compose"])
def test_a_mode_that_is_rendered_for_something_else_is_refused(world: Any, spec: ClusterSpec, act: Verb, target: str) -> None:
    present(world, spec)
    rendered(world, json.dumps({"mode": "vm-105", "target": target}))
    error = refused(act, world, spec)
    assert error.reason == "MODE_TARGET_REFUSED" and "vm-105" in error.seen


@every_verb
@pytest.mark.parametrize("text", ["", "{", '{"mode": "kind", "target": "kubernetes"}'])
def test_a_rendering_for_a_cluster_or_a_broken_one_is_no_obstacle(world: Any, spec: ClusterSpec, act: Verb, text: str) -> None:
    present(world, spec)
    rendered(world, text)
    act(world, spec)


@every_verb
def test_a_kubeconfig_outside_the_runs_folder_is_refused_and_kept(world: Any, spec: ClusterSpec, act: Verb, tmp_path: Path) -> None:
    present(world, spec)
    users = tmp_path / "home" / "config"
    users.parent.mkdir()
    users.write_text("theirs")

    class Elsewhere:
        site = replace(world.site, kubeconfig=users)
        waiting, stream, calls, writes = world.waiting, world.stream, world.calls, world.writes

    assert refused(act, Elsewhere, spec).reason == "KUBECONFIG_FOREIGN"
    assert users.read_text() == "theirs"


def test_an_api_with_another_ca_than_was_recorded_is_not_ours(world: Any, spec: ClusterSpec) -> None:
    present(world, spec)
    world.kubeconfig.unlink()
    world.ca = "another"
    with pytest.raises(ParityError, match="CLUSTER_NOT_OURS"):
        present(world, spec)
