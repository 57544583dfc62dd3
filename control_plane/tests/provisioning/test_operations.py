"""A running instance is stopped, started again and resized; what cannot be done leaves it as it was."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from gpuaas.api.models import GpuType
from gpuaas.messaging.events import Event
from gpuaas.messaging.poison import Poison
from gpuaas.provisioning.operation_activities import OperationActivities
from gpuaas.provisioning.order import LOST, TASK_QUEUE, Disagreement, Order
from gpuaas.provisioning.starter import order_of
from gpuaas.provisioning.states import States
from gpuaas.provisioning.workflows import SettleInstance
from support.provisioning import PROJECT, Run, Site

CAME_UP = ["requested", "provisioning", "running"]


async def up(its: Site, gpu_type: GpuType = GpuType.H100, count: int = 2) -> uuid.UUID:
    """An instance that runs."""
    instance = await its.ask(gpu_type, count)
    assert await its.provisioned(instance) == "running"
    return instance


async def reservation(its: Site, instance: uuid.UUID) -> Any:
    """The one that it holds."""
    (held,) = [one for one in await its.controller.of_instance(instance) if one.state != "released"]
    return held


async def once_each(its: Site, instance: uuid.UUID) -> bool:
    """Whether nothing took effect twice on any of its reservations."""
    lines = its.fleet.ledger(instance)
    return len(lines) == len(set(lines))


def test_an_instance_is_stopped_and_started_again(run: Run) -> None:
    async def test(its: Site) -> None:
        async with its.working():
            instance = await up(its)
            had = await reservation(its, instance)
            await its.stop(instance)
            assert await its.state(instance) == ("stopping", None)
            assert await its.done("stop", instance, 1) == "stopped"
            assert await its.state(instance) == ("stopped", None)
            assert await its.held(instance) == []
            assert its.fleet.effects(instance)[-4:] == ["stop", "stop ended", "release", "release ended"]
            await its.start(instance)
            assert await its.done("start", instance, 2) == "running"
        assert await its.state(instance) == ("running", None)
        assert await its.events(instance) == [*CAME_UP, "stopping", "stopped", "starting", "running"]
        assert (await reservation(its, instance)).id != had.id
        assert await once_each(its, instance)
        await its.keep("stop", instance, "stopped", 1)
        await its.keep("start", instance, "started", 2)

    run(test)


def test_without_capacity_a_stopped_instance_stays_stopped_and_can_be_started_later(run: Run) -> None:
    async def test(its: Site) -> None:
        async with its.working():
            instance = await up(its, GpuType.A100, 8)
            await its.stop(instance)
            assert await its.done("stop", instance, 1) == "stopped"
            other = await up(its, GpuType.A100, 1)
            await its.start(instance)
            assert await its.done("start", instance, 2) == "stopped"
            assert await its.state(instance) == ("stopped", "no_capacity")
            assert await its.held(instance) == []
            await its.keep("start", instance, "not-started", 2)
            await its.delete(other)
            await its.relay()
            assert await its.end("release", other) == "released"
            await its.start(instance)
            assert await its.state(instance) == ("starting", None)
            assert await its.done("start", instance, 3) == "running"
        told = ["stopping", "stopped", "starting", "not_started", "starting", "running"]
        assert await its.events(instance) == [*CAME_UP, *told]

    run(test)


def test_an_instance_gets_more_gpus_and_fewer(run: Run) -> None:
    async def test(its: Site) -> None:
        async with its.working():
            instance = await up(its, count=2)
            had = await reservation(its, instance)
            await its.resize(instance, 6)
            assert await its.size(instance) == (2, 6)
            assert await its.done("resize", instance, 1) == "resized"
            assert await its.size(instance) == (6, None)
            has = await reservation(its, instance)
            assert (has.state, len(has.gpus), has.replaces) == ("running", 6, had.id)
            await its.resize(instance, 1)
            assert await its.done("resize", instance, 2) == "resized"
        assert len((await reservation(its, instance)).gpus) == 1
        assert await its.state(instance) == ("running", None)
        assert await its.events(instance) == [*CAME_UP, *["resizing", "resized"] * 2]
        assert await once_each(its, instance)
        assert await its.settle() == 0
        await its.keep("resize", instance, "resized", 1)

    run(test)


def test_without_capacity_an_instance_runs_as_before(run: Run) -> None:
    async def test(its: Site) -> None:
        async with its.working():
            instance = await up(its, GpuType.A100, 5)
            had = await reservation(its, instance)
            await its.resize(instance, 8)
            assert await its.done("resize", instance, 1) == "not_resized"
        assert await reservation(its, instance) == had
        assert await its.state(instance) == ("running", "no_capacity")
        assert await its.size(instance) == (5, None)
        assert await its.events(instance) == [*CAME_UP, "resizing", "not_resized"]
        await its.keep("resize", instance, "not-resized", 1)

    run(test)


def test_new_gpus_that_do_not_come_up_are_released_and_others_are_tried(run: Run) -> None:
    async def test(its: Site) -> None:
        async with its.working():
            instance = await up(its)
            its.fleet.fault(kind="capacity_gone", times=1)
            await its.resize(instance, 4)
            assert await its.done("resize", instance, 1) == "resized"
        assert len((await reservation(its, instance)).gpus) == 4
        await its.keep("resize", instance, "other-gpus-are-tried-for-a-resize", 1)

    run(test)


def test_a_resize_that_fails_again_and_again_leaves_the_gpus_of_before(run: Run) -> None:
    async def test(its: Site) -> None:
        async with its.working():
            instance = await up(its)
            had = await reservation(its, instance)
            its.fleet.fault(kind="capacity_gone", times=None)
            await its.resize(instance, 4)
            assert await its.done("resize", instance, 1) == "not_resized"
        assert await reservation(its, instance) == had
        assert await its.state(instance) == ("running", "capacity_gone")

    run(test)


def test_an_answer_that_is_lost_has_one_effect(run: Run) -> None:
    async def test(its: Site) -> None:
        async with its.working():
            instance = await up(its)
            its.fleet.fault(kind="reply_lost", how="closed", times=3)
            await its.resize(instance, 4)
            assert await its.done("resize", instance, 1) == "resized"
            its.fleet.fault(kind="reply_lost", how="closed", times=3)
            await its.stop(instance)
            assert await its.done("stop", instance, 2) == "stopped"
        assert await once_each(its, instance)
        assert await its.held(instance) == []

    run(test)


def test_a_worker_that_goes_in_the_middle_of_a_resize_leaves_nothing_twice(run: Run) -> None:
    async def test(its: Site) -> None:
        async with its.working():
            instance = await up(its)
            its.slow()
            await its.resize(instance, 4)
            await its.relay()
            await its.until_held(instance, "starting")
        async with its.working():
            assert await its.end("resize", instance, 1) == "resized"
        assert len((await reservation(its, instance)).gpus) == 4
        assert await once_each(its, instance)

    run(test)


def test_a_resize_that_somebody_terminated_is_begun_again_by_its_event(run: Run) -> None:
    async def test(its: Site) -> None:
        async with its.working():
            instance = await up(its)
            its.slow()
            await its.resize(instance, 4)
            await its.relay()
            await its.until_held(instance, "starting")
            await its.client.get_workflow_handle(f"resize-{instance}-1").terminate()
            await its.rewind(instance)
            assert await its.done("resize", instance, 1) == "resized"
        assert len((await reservation(its, instance)).gpus) == 4
        assert await its.events(instance) == [*CAME_UP, "resizing", "resized"]

    run(test)


async def to_stop(its: Site, instance: uuid.UUID) -> int:
    await its.stop(instance)
    return 1


async def to_start(its: Site, instance: uuid.UUID) -> int:
    await its.stop(instance)
    assert await its.done("stop", instance, 1) == "stopped"
    await its.start(instance)
    return 2


async def to_resize(its: Site, instance: uuid.UUID) -> int:
    await its.resize(instance, 4)
    return 1


@pytest.mark.parametrize(
    ("what", "begin", "meanwhile"),
    [("stop", to_stop, "stopping"), ("start", to_start, "starting"), ("resize", to_resize, "starting")],
)
def test_a_deletion_goes_before_what_is_under_way(
    run: Run, what: str, begin: Callable[[Site, uuid.UUID], Awaitable[int]], meanwhile: str
) -> None:
    async def test(its: Site) -> None:
        async with its.working():
            instance = await up(its)
            operation = await begin(its, instance)
            its.slow()
            await its.relay()
            await its.until_held(instance, meanwhile)
            await its.delete(instance)
            await its.relay()
            assert await its.end(what, instance, operation) == "deleted"
            assert await its.end("release", instance) == "released"
        assert await its.held(instance) == []
        assert await its.state(instance) == ("deleted", None)
        assert await its.size(instance) == (2, None)
        assert (await its.events(instance))[-2:] == ["deleted", "released"]
        await its.keep(what, instance, f"deleted-during-{what}", operation)

    run(test)


@pytest.mark.parametrize("begin", [to_stop, to_start, to_resize])
def test_what_is_deleted_before_it_is_begun_reserves_nothing(
    run: Run, begin: Callable[[Site, uuid.UUID], Awaitable[int]]
) -> None:
    async def test(its: Site) -> None:
        async with its.working():
            instance = await up(its)
            operation = await begin(its, instance)
            before = its.fleet.effects(instance).count("reserve")
            await its.delete(instance)
            await its.relay()
            assert await its.end(begin.__name__.removeprefix("to_"), instance, operation) == "deleted"
            assert await its.end("release", instance) == "released"
        assert its.fleet.effects(instance).count("reserve") == before
        assert await its.held(instance) == []

    run(test)


def test_events_that_come_again_do_nothing_again(run: Run) -> None:
    async def test(its: Site) -> None:
        async with its.working():
            instance = await up(its)
            await its.stop(instance)
            assert await its.done("stop", instance, 1) == "stopped"
            await its.start(instance)
            assert await its.done("start", instance, 2) == "running"
            await its.resize(instance, 4)
            assert await its.done("resize", instance, 3) == "resized"
            has, told = await reservation(its, instance), await its.events(instance)
            await its.rewind(instance)
            await its.relay()
            for number, what in enumerate(("stop", "start", "resize"), start=1):
                assert await its.end(what, instance, number) == "unchanged"
        assert await reservation(its, instance) == has
        assert await its.events(instance) == told
        assert await its.state(instance) == ("running", None)

    run(test)


def test_what_was_seen_before_an_operation_is_not_held_against_what_is_now(run: Run) -> None:
    """The fleet was looked at while an instance was stopped; meanwhile it was started again."""

    async def test(its: Site) -> None:
        async with its.working():
            instance = await up(its)
            await its.stop(instance)
            assert await its.done("stop", instance, 1) == "stopped"
            await its.start(instance)
            assert await its.done("start", instance, 2) == "running"
            for reason in (LOST, ""):
                seen = Disagreement(str(instance), reason, "it has no reservation", operation=0)
                await its.client.execute_workflow(
                    SettleInstance.run, seen, id=f"settle-{instance}", task_queue=TASK_QUEUE
                )
        assert await its.state(instance) == ("running", None)
        assert await its.held(instance) == ["running"]

    run(test)


def test_gpus_of_a_stopped_instance_are_given_back(run: Run) -> None:
    async def test(its: Site) -> None:
        async with its.working():
            instance = await up(its)
            await its.stop(instance)
            assert await its.done("stop", instance, 1) == "stopped"
            await its.controller.reserve(instance, "H100", 2, key=uuid.uuid4().hex)
            await its.until_settled()
        assert await its.held(instance) == []
        assert await its.state(instance) == ("stopped", None)

    run(test)


def test_a_forgotten_replacement_of_what_runs_is_given_back(run: Run) -> None:
    async def test(its: Site) -> None:
        async with its.working():
            instance = await up(its)
            had = await reservation(its, instance)
            await its.controller.reserve(instance, "H100", 4, key=uuid.uuid4().hex, replaces=had.id)
            await its.until_settled()
        assert await reservation(its, instance) == had
        assert await its.state(instance) == ("running", None)

    run(test)


def test_a_step_of_before_takes_nothing_from_what_was_given_since(run: Run) -> None:
    """A process was paused in a stop, and goes on when the instance was started again."""

    async def test(its: Site) -> None:
        async with its.working():
            instance = await up(its)
            await its.stop(instance)
            assert await its.done("stop", instance, 1) == "stopped"
            await its.start(instance)
            assert await its.done("start", instance, 2) == "running"
            has = await reservation(its, instance)
        paused = Order(str(instance), PROJECT, "trainer", "H100", 2, operation=1)
        steps = OperationActivities(its.controller, States(its.own))
        await ActivityEnvironment().run(steps.shut_down, paused)
        await ActivityEnvironment().run(steps.release_all_but, paused, "")
        assert await reservation(its, instance) == has

    run(test)


def test_an_instance_that_lost_its_gpus_is_not_resized_and_fails(run: Run) -> None:
    async def test(its: Site) -> None:
        async with its.working():
            instance = await up(its)
            await its.lose(instance)
            await its.until_released(instance)
            await its.resize(instance, 4)
            assert await its.done("resize", instance, 1) == "not_resized"
            await its.until_settled()
        assert await its.state(instance) == ("failed", "reservation_lost")
        assert await its.held(instance) == []

    run(test)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("resizing", {"instance": {"project": "a", "name": "b", "gpu_type": "H100", "gpu_count": 8}}),
        ("stopping", {"operation": "1", "instance": {"project": "a", "name": "b", "gpu_type": "H100", "gpu_count": 8}}),
    ],
)
def test_an_event_that_does_not_say_what_is_to_be_done_is_poison(kind: str, data: dict[str, Any]) -> None:
    event = Event(uuid.uuid4(), f"instance.{kind}", uuid.uuid4(), datetime.now(UTC), data)
    with pytest.raises(Poison, match="malformed_event"):
        order_of(event)
