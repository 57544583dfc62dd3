"""From a request to GPUs that run, and back, against a real Postgres, a real Temporal and the fleet's own process."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from gpuaas.api.models import GpuType
from gpuaas.messaging.consumer import Delivery
from gpuaas.messaging.events import Event
from gpuaas.messaging.poison import Poison, Unavailable
from gpuaas.provisioning.starter import Starter
from support.provisioning import Run, Site

CAME_UP = ["requested", "provisioning", "running"]


@pytest.fixture
def run(on_site: Run) -> Run:
    return on_site


def test_an_instance_comes_up(run: Run) -> None:
    async def test(its: Site) -> None:
        instance = await its.ask(count=4)
        async with its.working():
            assert await its.provisioned(instance) == "running"
        assert await its.state(instance) == ("running", None)
        assert await its.events(instance) == CAME_UP
        await its.keep("provision", instance, "comes-up")
        assert await its.held(instance) == ["running"]
        done = its.fleet.effects(instance)
        assert len(done) == len(set(done))

    run(test)


def test_an_event_that_comes_again_starts_nothing(run: Run) -> None:
    async def test(its: Site) -> None:
        instance = await its.ask(count=1)
        async with its.working():
            await its.relay(times=3)
            assert await its.end("provision", instance) == "running"
            await its.rewind(instance)
            await its.relay()
            assert await its.end("provision", instance) == "unchanged"
        assert await its.events(instance) == CAME_UP
        assert await its.held(instance) == ["running"]

    run(test)


def test_without_capacity_the_tenant_is_told(run: Run) -> None:
    async def test(its: Site) -> None:
        both = [await its.ask(GpuType.A100), await its.ask(GpuType.A100)]
        async with its.working():
            await its.relay()
            ends = {await its.end("provision", each): each for each in both}
        assert sorted(ends) == ["failed", "running"]
        failed = ends["failed"]
        assert await its.state(failed) == ("failed", "no_capacity")
        assert await its.events(failed) == ["requested", "provisioning", "failed"]
        assert await its.held(failed) == []
        await its.keep("provision", failed, "no-capacity")

    run(test)


@pytest.mark.parametrize("how", ["closed", "unavailable", "garbled"])
def test_an_answer_that_is_lost_has_one_effect(run: Run, how: str) -> None:
    async def test(its: Site) -> None:
        its.fleet.fault(kind="reply_lost", how=how, times=3)
        instance = await its.ask(count=2)
        async with its.working():
            assert await its.provisioned(instance) == "running"
        done = its.fleet.effects(instance)
        assert len(done) == len(set(done)), done
        assert await its.held(instance) == ["running"]

    run(test)


def test_gpus_that_do_not_come_up_are_released_and_others_are_tried(run: Run) -> None:
    async def test(its: Site) -> None:
        its.fleet.fault(kind="capacity_gone", times=1)
        instance = await its.ask()
        async with its.working():
            assert await its.provisioned(instance) == "running"
        assert await its.held(instance) == ["running"]
        assert len(await its.controller.of_instance(instance)) == 2
        await its.keep("provision", instance, "other-gpus-are-tried")

    run(test)


def test_what_fails_again_and_again_is_given_up_and_holds_nothing(run: Run) -> None:
    async def test(its: Site) -> None:
        its.fleet.fault(kind="capacity_gone", times=None)
        instance = await its.ask(count=2)
        async with its.working():
            assert await its.provisioned(instance) == "failed"
        assert await its.state(instance) == ("failed", "capacity_gone")
        assert await its.held(instance) == []
        await its.keep("provision", instance, "is-given-up")

    run(test)


def test_gpus_with_errors_are_given_back(run: Run) -> None:
    async def test(its: Site) -> None:
        instance = await its.ask(count=8)
        its.fleet.fault(kind="gpu_error", error="ecc", instance=str(instance))
        async with its.working():
            assert await its.provisioned(instance) == "running"
        assert await its.held(instance) == ["running"]
        assert len(await its.controller.of_instance(instance)) == 2

    run(test)


def test_an_instance_that_is_deleted_while_it_starts_holds_nothing(run: Run) -> None:
    async def test(its: Site) -> None:
        its.fleet.fault(kind="node_slow", node="gpu-01", factor=20)
        its.fleet.fault(kind="node_slow", node="gpu-02", factor=20)
        instance = await its.ask()
        async with its.working():
            await its.relay()
            async with asyncio.timeout(30):
                while "starting" not in await its.held(instance):
                    await asyncio.sleep(0.05)
            await its.delete(instance)
            await its.relay()
            assert await its.end("release", instance) == "released"
            assert await its.end("provision", instance) == "deleted"
        assert await its.held(instance) == []
        await its.keep("provision", instance, "deleted-while-it-starts")
        assert await its.state(instance) == ("deleted", None)
        assert await its.events(instance) == ["requested", "provisioning", "deleted", "released"]

    run(test)


def test_an_instance_that_is_deleted_before_it_is_begun_reserves_nothing(run: Run) -> None:
    async def test(its: Site) -> None:
        instance = await its.ask()
        await its.delete(instance)
        async with its.working():
            assert await its.provisioned(instance) == "deleted"
            assert await its.end("release", instance) == "released"
        assert its.fleet.effects(instance) == []

    run(test)


def test_the_gpus_of_a_deleted_instance_are_free(run: Run) -> None:
    async def test(its: Site) -> None:
        first = await its.ask(GpuType.A100)
        async with its.working():
            assert await its.provisioned(first) == "running"
            await its.delete(first)
            await its.relay()
            assert await its.end("release", first) == "released"
            assert await its.provisioned(await its.ask(GpuType.A100)) == "running"
        assert await its.events(first) == [*CAME_UP, "deleted", "released"]
        await its.keep("release", first, "released")

    run(test)


def test_a_worker_that_goes_in_the_middle_leaves_nothing_twice(run: Run) -> None:
    async def test(its: Site) -> None:
        its.fleet.fault(kind="node_slow", node="gpu-01", factor=20)
        its.fleet.fault(kind="node_slow", node="gpu-02", factor=20)
        instance = await its.ask()
        async with its.working():
            await its.relay()
            async with asyncio.timeout(30):
                while "starting" not in await its.held(instance):
                    await asyncio.sleep(0.05)
        async with its.working():
            assert await its.end("provision", instance) == "running"
        done = its.fleet.effects(instance)
        assert len(done) == len(set(done)), done
        assert await its.events(instance) == CAME_UP

    run(test)


def test_a_workflow_that_somebody_terminated_is_begun_again_by_its_event(run: Run) -> None:
    async def test(its: Site) -> None:
        its.fleet.fault(kind="node_slow", node="gpu-01", factor=20)
        its.fleet.fault(kind="node_slow", node="gpu-02", factor=20)
        instance = await its.ask()
        async with its.working():
            await its.relay()
            async with asyncio.timeout(30):
                while "starting" not in await its.held(instance):
                    await asyncio.sleep(0.05)
            await its.client.get_workflow_handle(f"provision-{instance}").terminate()
            await its.rewind(instance)
            assert await its.provisioned(instance) == "running"
        assert await its.events(instance) == CAME_UP
        assert len(await its.controller.of_instance(instance)) == 1

    run(test)


def test_a_fleet_that_is_killed_is_waited_for(run: Run) -> None:
    async def test(its: Site) -> None:
        instance = await its.ask(count=1)
        its.fleet.kill()
        async with its.working():
            await its.relay()
            async with asyncio.timeout(30):
                while (await its.state(instance))[0] != "provisioning":
                    await asyncio.sleep(0.05)
            await asyncio.to_thread(its.fleet.start)
            assert await its.end("provision", instance) == "running"

    run(test)


def requested(**data: Any) -> Delivery:
    return Delivery(Event(uuid4(), "instance.requested", uuid4(), datetime.now(UTC), data), 1, 1)


@pytest.mark.parametrize(
    "data", [{}, {"instance": []}, {"instance": {"project": "a", "name": "b", "gpu_type": "H100", "gpu_count": "8"}}]
)
def test_an_event_without_its_instance_is_poison(data: dict[str, Any]) -> None:
    starter = Starter(lambda: pytest.fail("nothing is begun"))
    with pytest.raises(Poison, match="malformed_event"):
        asyncio.run(starter.handle(requested(**data)))


def test_without_temporal_an_event_waits() -> None:
    def away() -> Any:
        raise Unavailable("Temporal is not reachable")

    instance = {"project": "a", "name": "b", "gpu_type": "H100", "gpu_count": 8}
    with pytest.raises(Unavailable):
        asyncio.run(Starter(away).handle(requested(instance=instance)))


def test_an_instance_whose_gpus_are_lost_fails_and_gives_them_back(run: Run) -> None:
    async def test(its: Site) -> None:
        lost, broken, sound = [await its.ask(count=2) for _one in range(3)]
        async with its.working():
            for each in (lost, broken, sound):
                assert await its.provisioned(each) == "running"
            assert await its.settle() == 0
            await its.lose(lost)
            its.fleet.fault(kind="gpu_error", instance=str(broken))
            await its.until_settled()
        assert await its.state(lost) == ("failed", "reservation_lost")
        assert await its.state(broken) == ("failed", "unhealthy")
        assert await its.state(sound) == ("running", None)
        assert [await its.held(each) for each in (lost, broken, sound)] == [[], [], ["running"]]
        assert await its.events(broken) == [*CAME_UP, "failed"]
        await its.keep("settle", broken, "settled")

    run(test)


def test_gpus_that_nobody_asked_for_are_given_back(run: Run) -> None:
    async def test(its: Site) -> None:
        stranger = uuid4()
        await its.controller.reserve(stranger, "H100", 8, key=uuid4().hex)
        waiting = await its.ask(GpuType.A100)
        await its.controller.reserve(waiting, "A100", 8, key=f"{waiting}:1:reserve")
        async with its.working():
            await its.until_settled()
            assert await its.held(stranger) == []
            assert await its.held(waiting) == ["reserved"]
            assert await its.provisioned(waiting) == "running"

    run(test)
