"""Worker ``app-runtime``, with its own rights, against a real Postgres, a real NATS and the fleet's own process."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from gpuaas.api.models import Workload
from gpuaas.app_runtime import status
from gpuaas.app_runtime.catalogue import IMAGES, UnknownWorkload
from gpuaas.app_runtime.keeper import Keeper, unsettled
from gpuaas.app_runtime.process import create_worker
from gpuaas.app_runtime.steps import MAX_CRASHES, Believed, State, Step, holding, intended, is_settled, step
from gpuaas.fleet.client import FleetUnavailable
from gpuaas.fleet.reservation import Reservation
from gpuaas.messaging.connection import Messaging
from gpuaas.messaging.poison import Poison
from gpuaas.settings import FleetSecrets, FleetSettings, MigrateSecrets, MigrateSettings, read_settings
from support.fleet import TOKEN, RunningFleet
from support.processes import Server
from support.streaming import connected, event, made, publish, settled, stored
from support.workloads import Site, site

type Run = Callable[[Callable[[Site], Awaitable[None]]], None]
CAME_UP = ["deployed", "healthy"]


@pytest.fixture
def run(
    database: psycopg.Connection,
    migrate_settings: MigrateSettings,
    migrate_secrets: MigrateSecrets,
    fleet: RunningFleet,
) -> Run:
    """Run a test on a site."""

    async def on_site(test: Callable[[Site], Awaitable[None]]) -> None:
        async with site(database, migrate_settings, migrate_secrets.database_password, fleet) as its:
            await test(its)

    return lambda test: asyncio.run(on_site(test))


def test_what_can_be_asked_for_can_be_deployed() -> None:
    assert IMAGES.keys() == set(Workload)


def believed(state: State | None, *, runs: bool = True, crashes: int = 0) -> Believed:
    return Believed(uuid4(), runs, "notebook", state, 1, crashes)


def reservation(workload: str | None, state: str = "running", operation: str | None = None) -> Reservation:
    return Reservation.model_validate(
        {
            "id": uuid4(),
            "instance": uuid4(),
            "node": "gpu-01",
            "gpus": [],
            "state": state,
            "reason": None,
            "operation": operation,
            "storage": None,
            "health": None,
            "replaces": None,
            "workload": workload and {"image": "notebook", "state": workload},
        }
    )


@pytest.mark.parametrize(
    ("its", "goes"),
    [
        (believed(None), State.PENDING),
        (believed(State.REMOVED), State.PENDING),
        (believed(State.HEALTHY), None),
        (believed(State.REMOVING), None),
        (believed(State.PENDING, runs=False), State.REMOVING),
        (believed(State.UNHEALTHY, runs=False), State.REMOVING),
        (believed(State.REMOVING, runs=False), None),
        (believed(State.REMOVED, runs=False), None),
        (believed(None, runs=False), None),
    ],
)
def test_a_workload_is_wanted_while_its_instance_runs(its: Believed, goes: State | None) -> None:
    assert intended(its) is goes


@pytest.mark.parametrize(
    ("its", "found", "what"),
    [
        (believed(State.PENDING), None, None),
        (believed(State.PENDING), reservation(None, "stopped"), None),
        (believed(State.PENDING), reservation(None, operation="verify"), None),
        (believed(State.PENDING), reservation(None), Step.DEPLOY),
        (believed(State.PENDING), reservation("crashed"), Step.DEPLOY),
        (believed(State.DEPLOYED), reservation("deploying", operation="deploy"), None),
        (believed(State.DEPLOYED), reservation("healthy"), Step.SAY_HEALTHY),
        (believed(State.DEPLOYED), reservation("unhealthy"), Step.SAY_UNHEALTHY),
        (believed(State.DEPLOYED), reservation(None), Step.SAY_UNHEALTHY),
        (believed(State.HEALTHY), reservation("healthy"), None),
        (believed(State.HEALTHY), reservation("crashed"), Step.SAY_UNHEALTHY),
        (believed(State.HEALTHY), reservation(None, "failed"), None),
        (believed(State.HEALTHY), None, None),
        (believed(State.UNHEALTHY), reservation("unhealthy"), None),
        (believed(State.UNHEALTHY), reservation("healthy"), Step.SAY_HEALTHY),
        (believed(State.UNHEALTHY), reservation("crashed"), Step.DEPLOY_AGAIN),
        (believed(State.UNHEALTHY), reservation(None), Step.DEPLOY_AGAIN),
        (believed(State.UNHEALTHY, crashes=MAX_CRASHES), reservation("crashed"), None),
        (believed(State.REMOVING), reservation("healthy"), Step.REMOVE),
        (believed(State.REMOVING), reservation("removing", operation="remove"), None),
        (believed(State.REMOVING), reservation(None), Step.SAY_REMOVED),
        (believed(State.REMOVING), reservation(None, "stopping"), Step.SAY_REMOVED),
        (believed(State.REMOVING), None, Step.SAY_REMOVED),
        (believed(State.REMOVED), None, None),
        (believed(None), reservation("healthy"), None),
    ],
)
def test_what_is_next(its: Believed, found: Reservation | None, what: Step | None) -> None:
    assert step(its, found) is what
    if what:
        assert not is_settled(its, found)


def test_an_instance_that_moves_has_its_workload_on_one_of_two_reservations() -> None:
    old, new, gone = reservation("healthy"), reservation(None), reservation(None, "releasing")
    on = [each.model_copy(update={"instance": old.instance}) for each in (old, new, gone)]
    assert holding(on) == {old.instance: on[0]}
    assert holding(on[1:]) == {old.instance: on[1]}
    assert holding(on[2:]) == {old.instance: on[2]}
    twice = [on[0], reservation("healthy").model_copy(update={"instance": old.instance})]
    its = dataclasses.replace(believed(State.HEALTHY), instance_id=old.instance)
    assert unsettled(on, [its]) == []
    assert len(unsettled(twice, [its])) == 1


def test_a_workload_is_deployed_watched_and_removed(run: Run) -> None:
    async def test(its: Site) -> None:
        instance = await its.running()
        await its.happened(instance, "running")
        await its.until_settled()
        assert await its.state(instance) == "healthy"
        assert await its.events(instance) == CAME_UP
        fault = its.fleet.fault(kind="workload_unhealthy")
        await its.until_settled()
        assert await its.events(instance) == [*CAME_UP, "unhealthy"]
        its.fleet.clear(fault)
        await its.until_settled()
        await its.set(instance, "deleted")
        await its.happened(instance, "deleted")
        await its.until_settled()
        assert await its.state(instance) == "removed"
        assert await its.events(instance) == [*CAME_UP, "unhealthy", "healthy", "removed"]
        done = its.fleet.effects(instance)
        assert (done.count("deploy"), done.count("remove")) == (1, 1)

    run(test)


def test_who_asks_for_nothing_gets_nothing(run: Run) -> None:
    async def test(its: Site) -> None:
        instance = await its.running(workload=None)
        await its.happened(instance, "running")
        await its.until_settled()
        assert await its.state(instance) is None
        assert "deploy" not in its.fleet.effects(instance)

    run(test)


def test_an_event_that_comes_again_or_late_changes_nothing(run: Run) -> None:
    async def test(its: Site) -> None:
        instance = await its.running()
        it = await its.happened(instance, "running")
        await its.until_settled()
        await its.workloads.handle(it)
        await its.happened(instance, "provisioning")
        await its.until_settled()
        assert await its.events(instance) == CAME_UP
        assert its.fleet.effects(instance).count("deploy") == 1

    run(test)


def test_an_event_that_was_missed_is_made_up_for(run: Run) -> None:
    async def test(its: Site) -> None:
        instance = await its.running()
        await its.until_settled()
        assert await its.state(instance) == "healthy"
        await its.set(instance, "failed")
        await its.until_settled()
        assert await its.state(instance) == "removed"

    run(test)


def test_an_event_of_no_instance_is_poison(run: Run) -> None:
    async def test(its: Site) -> None:
        with pytest.raises(Poison, match="unknown_instance"):
            await its.happened(uuid4(), "running")

    run(test)


@pytest.mark.parametrize("how", ["closed", "unavailable", "garbled"])
@pytest.mark.parametrize("operation", ["deploy", "remove"])
def test_an_answer_that_is_lost_has_one_effect(run: Run, operation: str, how: str) -> None:
    async def test(its: Site) -> None:
        its.fleet.fault(kind="reply_lost", how=how, operation=operation, times=2)
        instance = await its.running()
        unanswered = await its.until_settled(FleetUnavailable)
        assert await its.events(instance) == CAME_UP
        await its.set(instance, "failed")
        unanswered += await its.until_settled(FleetUnavailable)
        assert await its.events(instance) == [*CAME_UP, "removed"]
        assert unanswered == 2 if operation == "deploy" else unanswered >= 1
        assert its.fleet.effects(instance).count(operation) == 1

    run(test)


def test_a_stopped_instance_has_no_workload_and_one_that_runs_again_has_one(run: Run) -> None:
    async def test(its: Site) -> None:
        instance = await its.running()
        await its.until_settled()
        await its.stop(instance)
        await its.set(instance, "failed")
        await its.happened(instance, "stopped")
        await its.until_settled()
        assert await its.state(instance) == "removed"
        assert "remove" not in its.fleet.effects(instance)
        await its.start(instance)
        await its.set(instance, "running")
        await its.happened(instance, "running")
        await its.until_settled()
        assert await its.events(instance) == [*CAME_UP, "removed", *CAME_UP]

    run(test)


def test_one_that_crashes_is_deployed_again_and_left_alone_in_the_end(run: Run) -> None:
    async def test(its: Site) -> None:
        instance = await its.running()
        its.fleet.fault(kind="workload_crash", times=1)
        await its.until_settled()
        assert await its.events(instance) == ["deployed", "unhealthy", *CAME_UP]
        its.fleet.fault(kind="workload_crash", times=None)
        await its.until_settled()
        assert await its.state(instance) == "unhealthy"
        assert its.fleet.effects(instance).count("deploy") == 1 + MAX_CRASHES

    run(test)


def test_one_that_the_fleet_lost_is_deployed_again(run: Run) -> None:
    async def test(its: Site) -> None:
        instance = await its.running()
        await its.until_settled()
        await its.remove(instance)
        await its.until_settled()
        assert await its.events(instance) == [*CAME_UP, "unhealthy", *CAME_UP]

    run(test)


def test_one_that_nobody_wants_is_removed(run: Run) -> None:
    async def test(its: Site) -> None:
        instance = await its.running(workload=None)
        await its.deploy(instance)
        await its.until_settled()
        assert its.fleet.effects(instance)[-1] == "remove ended"

    run(test)


def test_another_one_in_the_way_makes_room(run: Run) -> None:
    async def test(its: Site) -> None:
        instance = await its.running()
        await its.deploy(instance)
        await its.until_settled()
        assert await its.state(instance) == "healthy"
        assert its.fleet.effects(instance)[-4:] == ["remove", "remove ended", "deploy", "deploy ended"]

    run(test)


def test_two_workers_at_once_do_nothing_twice(run: Run) -> None:
    async def test(its: Site) -> None:
        instances = [await its.running(count=2) for _each in range(3)]
        other = Keeper(its.workloads, its.controller)
        async with asyncio.timeout(60):
            while not all(await asyncio.gather(its.keeper.once(), other.once())):
                await asyncio.sleep(0.02)
        for each in instances:
            assert await its.events(each) == CAME_UP
            assert its.fleet.effects(each).count("deploy") == 1

    run(test)


def test_one_that_fails_does_not_stop_the_others(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(its: Site) -> None:
        broken, sound = await its.running(), await its.running(workload="inference")
        monkeypatch.delitem(IMAGES, Workload.NOTEBOOK)
        async with asyncio.timeout(60):
            while await its.state(sound) != "healthy":
                with suppress(UnknownWorkload):
                    await its.keeper.once()
        with pytest.raises(UnknownWorkload):
            await its.keeper.once()
        assert await its.state(broken) == "pending"

    run(test)


@pytest.fixture
def runtime(
    worker_environment: Callable[[str], dict[str, str]], fleet: RunningFleet, database: psycopg.Connection
) -> dict[str, str]:
    """The worker's environment."""
    its = worker_environment("app-runtime")
    (Path(its["GPUAAS_SECRETS_SOURCE"].removeprefix("file://")) / "fleet_token").write_text(TOKEN)
    return {
        **its,
        "GPUAAS_DATABASE_USER": "gpuaas_runtime",
        "GPUAAS_FLEET_HOST": "127.0.0.1",
        "GPUAAS_FLEET_PORT": str(fleet.port),
    }


def test_from_an_event_of_the_stream_to_a_healthy_workload(
    run: Run,
    runtime: dict[str, str],
    messaging: Callable[[str], Messaging],
    postgres: Server,
    ca_file: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The worker as it is deployed, with its own rights in NATS; and what its status says."""
    settings = read_settings(FleetSettings, runtime)
    secrets = FleetSecrets(database_password=postgres.password, fleet_token=TOKEN)
    tls = ssl.create_default_context(cafile=str(ca_file))

    async def said() -> tuple[int, dict[str, Any]]:
        code = await asyncio.to_thread(status.run, settings, secrets, tls)
        return code, json.loads(capsys.readouterr().out.splitlines()[-1])

    async def test(its: Site) -> None:
        instance = await its.running()
        async with connected(messaging("observer")) as observer:
            await made(observer)
            worker = create_worker(settings, secrets, tls)
            working = asyncio.ensure_future(worker.work())
            try:
                await publish(observer, event(instance, "instance.running"), event(uuid4(), "instance.running"))
                await settled(observer, "app-runtime")
                code, seen = await said()
                assert (code, seen["workloads"], seen["fleet_disagrees"]) == (0, {"healthy": 1}, []), seen
                assert (seen["waiting"], seen["consumer_differs"]) == (0, [])
                assert await its.events(instance) == CAME_UP
            finally:
                working.cancel()
                await asyncio.wait([working])
            [letter] = await stored(observer, "deadletters")
            assert letter.headers
            assert letter.headers["Gpuaas-Reason"] == "unknown_instance"
            # Nobody works any more.
            monkeypatch.setattr(status, "PATIENCE_SECONDS", 0.0)
            await its.set(instance, "failed")
            code, seen = await said()
            disagreement = {"instance_id": str(instance), "database": "healthy", "fleet": "healthy"}
            assert (code, seen["fleet_disagrees"]) == (1, [disagreement])

    run(test)


def test_status_without_a_fleet_says_so(
    runtime: dict[str, str], postgres: Server, ca_file: Path, capsys: pytest.CaptureFixture[str], fleet: RunningFleet
) -> None:
    fleet.kill()
    secrets = FleetSecrets(database_password=postgres.password, fleet_token=TOKEN)
    assert (
        status.run(read_settings(FleetSettings, runtime), secrets, ssl.create_default_context(cafile=str(ca_file))) == 1
    )
    assert "FleetUnavailable" in json.loads(capsys.readouterr().out)["error"]
