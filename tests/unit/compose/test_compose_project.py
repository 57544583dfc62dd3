"""Which project is ours, and its end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.ours import require_ours, things
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import is_unhealthy
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.remove import remove
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

from .conftest import PROJECT, Engine, container


def thing(name: str, state_dir: str) -> dict[str, Any]:
    return {"Name": name, "Labels": {"gpuaas.parity/state-dir": state_dir} if state_dir else {}}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    path = tmp_path / "here/.parity/compose"
    path.mkdir(parents=True)
    return path


@pytest.fixture
def local(tmp_path: Path) -> Path:
    """A rendered directory."""
    path = tmp_path / "here/deploy/local"
    path.mkdir(parents=True)
    (path / ".rendered.json").write_text("{}")
    return path


def refused(engine: Engine, state: Path) -> ParityError:
    with pytest.raises(ParityError) as caught:
        require_ours(things(engine.docker, PROJECT), PROJECT, state)
    return caught.value


def test_ours_is_let_through(engine: Engine, state: Path) -> None:
    engine.containers.append(container("api", str(state)))
    engine.volumes.append(thing("data", str(state)))
    require_ours(things(engine.docker, PROJECT), PROJECT, state)


@pytest.mark.parametrize("kind", ["containers", "networks", "volumes"])
def test_what_we_did_not_make_is_refused(engine: Engine, state: Path, kind: str) -> None:
    getattr(engine, kind).append(container("theirs") if kind == "containers" else thing("theirs", ""))
    error = refused(engine, state)
    assert error.reason == "LOCAL_DEV_NOT_OURS"
    assert "theirs" in error.seen


def test_a_checkout_that_moved_is_told_both_places(engine: Engine, state: Path, tmp_path: Path) -> None:
    old = tmp_path / "before/.parity/compose"
    engine.volumes.append(thing("data", str(old)))
    error = refused(engine, state)
    assert error.reason == "LOCAL_DEV_MOVED"
    assert str(old) in error.seen
    assert str(state) in error.seen
    assert error.do.startswith(f"docker compose --project-name {PROJECT} down --volumes")


def test_another_checkout_that_is_still_there_takes_its_own_down(engine: Engine, state: Path, tmp_path: Path) -> None:
    old = tmp_path / "other checkout/.parity/compose"
    old.mkdir(parents=True)
    engine.containers.append(container("api", str(old)))
    there = f"make -C '{tmp_path / 'other checkout'}' local-dev-down"
    assert refused(engine, state).do == f"{there}; then {{up}}; or beside it: {{up}} INSTANCE=two"


@pytest.mark.parametrize(
    ("status", "health", "is_so"),
    [("running", "unhealthy", True), ("paused", "unhealthy", True), ("running", "starting", False), ("exited", "unhealthy", False)],
)
def test_what_is_unhealthy_runs_and_fails_its_check(status: str, health: str, is_so: bool) -> None:
    assert is_unhealthy(container("api", status=status, health=health)) is is_so


def test_down_removes_all_of_it(engine: Engine, state: Path, local: Path) -> None:
    engine.containers += [container("api", str(state)), container("api-seed", str(state), status="exited", health="")]
    engine.networks.append(thing(PROJECT, str(state)))
    engine.volumes.append(thing("data", str(state)))
    assert len(remove(engine.docker, PROJECT, state, local, dry=False)) == 5
    assert things(engine.docker, PROJECT) == []
    assert not local.exists()
    assert remove(engine.docker, PROJECT, state, local, dry=False) == []


def test_down_in_check_mode_removes_nothing(engine: Engine, state: Path, local: Path) -> None:
    engine.volumes.append(thing("data", str(state)))
    assert remove(engine.docker, PROJECT, state, local, dry=True) == ["volume data", str(local)]
    assert engine.volumes
    assert local.exists()


def test_down_leaves_alone_what_is_not_ours(engine: Engine, state: Path, local: Path) -> None:
    engine.volumes.append(thing("data", "/elsewhere/.parity/compose"))
    with pytest.raises(ParityError) as caught:
        remove(engine.docker, PROJECT, state, local, dry=False)
    assert caught.value.reason == "LOCAL_DEV_MOVED"
    assert engine.volumes
    assert local.exists()


def test_a_folder_that_nobody_rendered_stays(engine: Engine, state: Path, local: Path) -> None:
    (local / ".rendered.json").unlink()
    (local / "notes.txt").write_text("mine")
    assert remove(engine.docker, PROJECT, state, local, dry=False) == []
    assert (local / "notes.txt").exists()


def test_what_is_left_is_named(engine: Engine, state: Path, local: Path) -> None:
    engine.volumes.append(thing("data", str(state)))
    engine.stuck.add("data")
    with pytest.raises(ParityError) as caught:
        remove(engine.docker, PROJECT, state, local, dry=False)
    assert caught.value.reason == "LOCAL_DEV_RESIDUE"
    assert caught.value.details == {"residue": ["volume data"]}
