"""Whose a project is, its end, its database, and why it did not come up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.database import Database, code_version
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.explain import explain
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.ours import require_ours, things
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import Project
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.remove import remove
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Completed

from .conftest import CHECKOUT, PROJECT, Engine, container

MIGRATIONS = CHECKOUT / "control_plane/src/gpuaas/migrations"
CODE = code_version(MIGRATIONS)


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
    assert refused(engine, state).do == f"make -C '{tmp_path / 'other checkout'}' local-dev-down; then {{up}}"


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


def database(engine: Engine, schema: object, snapshot: object) -> Database:
    """Of an engine that runs, with a database and a snapshot of these schemas."""
    engine.containers += [container(name) for name in ("postgres", "redis", "api", "web")]
    engine.containers += [container(name, status="exited", health="") for name in ("api-migrate", "api-seed", "postgres-snapshot")]
    script = f"exec {PROJECT}-postgres-1 sh /etc/gpuaas/tools/database.sh"
    engine.answers |= {
        f"{script} state": Completed(f"gpuaas {schema}\ngpuaas_seed {snapshot}\n", "", 0),
        f"{script} ": Completed("", "", 0),
        f"exec {PROJECT}-redis-1": Completed("OK", "", 0),
        "start": Completed("", "", 0),
    }
    return Database(engine.docker, Project(engine.docker, PROJECT), MIGRATIONS)


def verbs(engine: Engine) -> list[str]:
    return [call.rsplit(" ", 1)[-1] for call in engine.calls if "database.sh" in call]


def test_restore_copies_the_snapshot_back_and_empties_the_cache(engine: Engine) -> None:
    assert database(engine, CODE, CODE).restore().snapshot == CODE
    assert verbs(engine) == ["state", "restore"]
    assert any("flushall" in call for call in engine.calls)
    assert not any(call.startswith("start") for call in engine.calls)


@pytest.mark.parametrize(
    ("schema", "snapshot", "reason"),
    [
        (CODE, "", "LOCAL_DEV_SEED_MISSING"),
        (CODE, CODE - 1, "LOCAL_DEV_SEED_OUTDATED"),
        (CODE + 1, CODE, "LOCAL_DEV_SCHEMA_NEWER"),
        (CODE, CODE + 1, "LOCAL_DEV_SCHEMA_NEWER"),
    ],
)
def test_a_snapshot_that_does_not_fit_is_refused_and_nothing_lost(engine: Engine, schema: object, snapshot: object, reason: str) -> None:
    subject = database(engine, schema, snapshot)
    with pytest.raises(ParityError) as caught:
        subject.restore()
    assert caught.value.reason == reason
    assert verbs(engine) == ["state"]


def test_nothing_is_restored_under_a_service_that_does_not_run(engine: Engine) -> None:
    subject = database(engine, CODE, CODE)
    engine.containers[:] = [item for item in engine.containers if item["Id"] != "id-api"]
    with pytest.raises(ParityError) as caught:
        subject.restore()
    assert caught.value.reason == "LOCAL_DEV_DATABASE"
    assert verbs(engine) == ["state"]


def test_reseed_empties_then_fills_in_order(engine: Engine) -> None:
    database(engine, CODE, CODE).reseed()
    assert verbs(engine) == ["empty", "state"]
    started = [call.rsplit(" ", 1)[-1] for call in engine.calls if call.startswith("start")]
    assert started == [f"{PROJECT}-{name}-1" for name in ("api-migrate", "api-seed", "postgres-snapshot", "api", "web")]


def test_a_job_that_fails_ends_the_reseed(engine: Engine) -> None:
    subject = database(engine, CODE, CODE)
    engine.answers = {f"start --attach {PROJECT}-api-migrate": Completed("", "it broke", 1), **engine.answers}
    with pytest.raises(ParityError) as caught:
        subject.reseed()
    assert caught.value.reason == "LOCAL_DEV_DATABASE"
    assert "it broke" in caught.value.seen


def test_no_password_is_an_argument(engine: Engine) -> None:
    database(engine, CODE, CODE).restore()
    assert not any("password" in call.replace('"$(cat /run/secrets/gpuaas/password)"', "") for call in engine.calls)


def test_the_codes_schema_is_the_number_of_its_migrations(tmp_path: Path) -> None:
    for name in ("0001_a.sql", "0002_b.sql", "notes.sql", "0003_c.txt"):
        (tmp_path / name).write_text("")
    assert code_version(tmp_path) == 2


def test_a_failed_up_names_the_container_and_what_it_said(engine: Engine) -> None:
    subject = database(engine, CODE, CODE)
    engine.containers.append(container("keycloak", status="exited", rc=1))
    engine.answers["logs"] = Completed("", "no database\n", 0)
    error = explain(engine.docker, Project(engine.docker, PROJECT), subject, "Error")
    assert error.reason == "LOCAL_DEV_UP_FAILED"
    assert error.seen == "keycloak ended with 1: no database"


def test_a_failed_migration_of_a_newer_database_says_so(engine: Engine) -> None:
    subject = database(engine, CODE + 1, CODE)
    engine.containers[:] = [item for item in engine.containers if item["Id"] != "id-api-migrate"]
    engine.containers.append(container("api-migrate", status="exited", rc=1, health=""))
    assert explain(engine.docker, Project(engine.docker, PROJECT), subject, "").reason == "LOCAL_DEV_SCHEMA_NEWER"


def test_a_failure_before_any_container_quotes_compose(engine: Engine) -> None:
    subject = Database(engine.docker, Project(engine.docker, PROJECT), MIGRATIONS)
    error = explain(engine.docker, Project(engine.docker, PROJECT), subject, "port is already allocated")
    assert (error.reason, error.seen) == ("LOCAL_DEV_UP_FAILED", "port is already allocated")
