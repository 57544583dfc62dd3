"""What a reset does with the data of a running project, and why a project did not come up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.explain import explain
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.kept import Kept, Seeded, code_version, kept
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import Project
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.reset import Reset
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Completed

from .conftest import CHECKOUT, PROJECT, Engine, container

CODE = code_version(CHECKOUT / "control_plane/src/gpuaas/migrations")
JOBS = ("api-migrate", "api-seed", "postgres-snapshot")


@pytest.fixture(scope="module")
def found(tree: dict[str, bytes]) -> list[Kept]:
    """What this checkout's components say of a reset."""
    return kept(json.loads(tree["contract.json"]), CHECKOUT)


@pytest.fixture
def up(engine: Engine, found: list[Kept]) -> Engine:
    """An engine with everything running."""
    engine.containers += [container(name) for name in {"api", "web", *(one.container for one in found)}]
    engine.containers += [container(name, status="exited", health="") for name in JOBS]
    return engine


def reset(engine: Engine, found: list[Kept], schema: object = CODE, snapshot: object = CODE) -> Reset:
    """Of a project with data and a snapshot of these schemas."""
    script = f"exec {PROJECT}-postgres-1 sh /etc/gpuaas/tools/database.sh"
    engine.answers |= {
        f"{script} state": Completed(f"data {schema}\nsnapshot {snapshot}\n", "", 0),
        f"{script} ": Completed("", "", 0),
        **{f"exec {PROJECT}-{one.container}-1": Completed("OK", "", 0) for one in found},
        "start": Completed("", "", 0),
    }
    return Reset(engine.docker, Project(engine.docker, PROJECT), found)


def verbs(engine: Engine) -> list[str]:
    return [call.split()[-2] for call in engine.calls if "database.sh" in call]


def test_restore_copies_the_snapshot_back_and_empties_the_cache(up: Engine, found: list[Kept]) -> None:
    assert reset(up, found).restore()["api"].snapshot == CODE
    assert verbs(up) == ["state", "restore"]
    assert any("FLUSHALL" in call for call in up.calls)
    assert not any(call.startswith("start") for call in up.calls)


@pytest.mark.parametrize(
    ("schema", "snapshot", "reason"),
    [
        (CODE, "", "LOCAL_DEV_SEED_MISSING"),
        (CODE, CODE - 1, "LOCAL_DEV_SEED_OUTDATED"),
        (CODE + 1, CODE, "LOCAL_DEV_SCHEMA_NEWER"),
        (CODE, CODE + 1, "LOCAL_DEV_SCHEMA_NEWER"),
    ],
)
def test_a_snapshot_that_does_not_fit_is_refused_and_nothing_lost(
    up: Engine, found: list[Kept], schema: object, snapshot: object, reason: str
) -> None:
    subject = reset(up, found, schema, snapshot)
    with pytest.raises(ParityError) as caught:
        subject.restore()
    assert caught.value.reason == reason
    assert verbs(up) == ["state"]


@pytest.mark.parametrize("absent", ["api", "web"])
def test_nothing_is_restored_under_what_does_not_run(up: Engine, found: list[Kept], absent: str) -> None:
    subject = reset(up, found)
    up.containers[:] = [item for item in up.containers if item["Id"] != f"id-{absent}"]
    with pytest.raises(ParityError) as caught:
        subject.restore()
    assert caught.value.reason == "LOCAL_DEV_DATABASE"
    assert absent in caught.value.seen
    assert verbs(up) == ["state"]


def test_reseed_empties_then_fills_in_order(up: Engine, found: list[Kept]) -> None:
    reset(up, found).reseed()
    assert verbs(up) == ["empty", "state"]
    started = [call.rsplit(" ", 1)[-1] for call in up.calls if call.startswith("start")]
    assert started == [f"{PROJECT}-{name}-1" for name in (*JOBS, "api", "web")]


def test_what_follows_from_the_data_is_emptied_when_they_are_there(up: Engine, found: list[Kept]) -> None:
    """As a stream that is made again from a table: there is none before the jobs have run."""
    reset(up, found).reseed()
    after = up.calls[max(index for index, call in enumerate(up.calls) if call.startswith("start")) :]
    rest = [" ".join(one.empty) for one in found if not isinstance(one, Seeded)]
    assert rest
    assert all(any(call.endswith(command) for call in after) for command in rest)


def test_a_job_that_fails_ends_the_reseed(up: Engine, found: list[Kept]) -> None:
    subject = reset(up, found)
    up.answers = {f"start --attach {PROJECT}-api-migrate": Completed("", "it broke", 1), **up.answers}
    with pytest.raises(ParityError) as caught:
        subject.reseed()
    assert caught.value.reason == "LOCAL_DEV_DATABASE"
    assert "it broke" in caught.value.seen


def test_no_password_is_an_argument(up: Engine, found: list[Kept]) -> None:
    reset(up, found).restore()
    assert not any("password" in call.replace('"$(cat /run/secrets/gpuaas/password)"', "") for call in up.calls)


def test_the_codes_schema_is_the_number_of_its_migrations(tmp_path: Path) -> None:
    for name in ("0001_a.sql", "0002_b.sql", "notes.sql", "0003_c.txt"):
        (tmp_path / name).write_text("")
    assert code_version(tmp_path) == 2


def service(*needs: str, **said: Any) -> dict[str, Any]:
    return {"needs": list(needs), **said}


def test_who_uses_the_data_is_found_by_what_needs_it(tmp_path: Path) -> None:
    data = {"in": "store", "empty": ["e"], "state": ["s"], "restore": ["r"], "fill": ["fill"], "schema": "migrations"}
    services = {
        "store": service(),
        "shop": service("store", reset=data),
        "web": service("shop"),
        "proxy": service("web"),
        "login": service("store"),
        "cache": service(reset={"empty": ["flush"]}),
    }
    found = kept({"services": services}, tmp_path)
    assert found[0] == Seeded("shop", "store", ["e"], ["s"], ["r"], ["fill"], tmp_path / "migrations", ["proxy", "shop", "web"])
    assert found[1] == Kept("cache", "cache", ["flush"])
    # Where somebody else keeps the data, nobody here can reset them.
    assert kept({"services": services | {"store": service(provided_by="the cloud")}}, tmp_path) == found[1:]


def test_a_failed_up_names_the_container_and_what_it_said(up: Engine, found: list[Kept]) -> None:
    subject = reset(up, found)
    up.containers.append(container("keycloak", status="exited", rc=1))
    up.answers["logs"] = Completed("", "no database\n", 0)
    error = explain(up.docker, Project(up.docker, PROJECT), subject, "Error")
    assert error.reason == "LOCAL_DEV_UP_FAILED"
    assert error.seen == "keycloak ended with 1: no database"


@pytest.mark.parametrize("job", JOBS)
def test_a_job_that_failed_on_newer_data_says_so(up: Engine, found: list[Kept], job: str) -> None:
    subject = reset(up, found, schema=CODE + 1)
    up.containers[:] = [item for item in up.containers if item["Id"] != f"id-{job}"]
    up.containers.append(container(job, status="exited", rc=1, health=""))
    assert explain(up.docker, Project(up.docker, PROJECT), subject, "").reason == "LOCAL_DEV_SCHEMA_NEWER"


def test_a_failure_before_any_container_quotes_compose(engine: Engine, found: list[Kept]) -> None:
    subject = Reset(engine.docker, Project(engine.docker, PROJECT), found)
    error = explain(engine.docker, Project(engine.docker, PROJECT), subject, "port is already allocated")
    assert (error.reason, error.seen) == ("LOCAL_DEV_UP_FAILED", "port is already allocated")
