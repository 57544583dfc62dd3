"""What provisioning makes of events in the wrong order, of a fleet that is late or asked twice, and of changed code."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta

from temporalio import workflow
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowExecutionStatus

from gpuaas.messaging.consumer import Delivery
from gpuaas.provisioning.activities import Activities
from gpuaas.provisioning.order import Order
from gpuaas.provisioning.starter import Starter
from gpuaas.provisioning.workflows import ProvisionInstance
from gpuaas.relay import outbox
from support.provisioning import Run, Site

CAME_UP = ["requested", "provisioning", "running"]


def test_a_deletion_that_comes_before_its_request_reserves_nothing(run: Run) -> None:
    async def test(its: Site) -> None:
        instance = await its.ask()
        starter = Starter(lambda: its.client)
        async with its.pool.connection() as connection:
            [requested] = await outbox.claim(connection, 2)
            await outbox.published(connection, [requested.id])
        await its.delete(instance)
        async with its.working():
            await its.relay()
            assert await its.end("release", instance) == "released"
            await starter.handle(Delivery(requested.event, 2, 1))
            assert await its.end("provision", instance) == "deleted"
        assert its.fleet.effects(instance) == []
        assert await its.events(instance) == ["requested", "deleted", "released"]

    run(test)


def test_an_answer_that_is_late_has_one_effect(run: Run) -> None:
    """Later than it is waited for: the request is made again while the first one still takes its time."""

    async def test(its: Site) -> None:
        its.fleet.fault(kind="reply_lost", how="late", seconds=6, operation="reserve", times=1)
        instance = await its.ask(count=2)
        async with its.working():
            assert await its.provisioned(instance) == "running"
        done = its.fleet.effects(instance)
        assert len(done) == len(set(done)), done
        assert await its.held(instance) == ["running"]

    run(test)


def test_who_asks_twice_is_answered_the_same(run: Run) -> None:
    async def test(its: Site) -> None:
        instance, key = uuid.uuid4(), uuid.uuid4().hex
        answers = [await its.controller.reserve(instance, "H100", 2, key=key) for _time in range(2)]
        assert answers[0].reservation.id == answers[1].reservation.id
        assert its.fleet.effects(instance) == ["reserve"]

    run(test)


@workflow.defn(name="ProvisionInstance", sandboxed=False)
class _Changed(ProvisionInstance):
    """Looks before it begins, which no history of before did."""

    @workflow.run
    async def run(self, order: Order) -> str:
        await workflow.execute_activity_method(Activities.look, start_to_close_timeout=timedelta(seconds=20))
        return await super().run(order)


def test_a_history_that_no_longer_fits_waits_for_its_code_and_holds_up_nobody(run: Run) -> None:
    async def test(its: Site) -> None:
        slow = [its.fleet.fault(kind="node_slow", node=node, factor=20) for node in ("gpu-01", "gpu-02")]
        old = await its.ask()
        async with its.working():
            await its.relay()
            async with asyncio.timeout(30):
                while "starting" not in await its.held(old):
                    await asyncio.sleep(0.05)
        for each in slow:
            its.fleet.clear(each)
        handle = its.client.get_workflow_handle(f"provision-{old}")
        async with its.working(workflows=[_Changed]):
            async with asyncio.timeout(60):
                while "EVENT_TYPE_WORKFLOW_TASK_FAILED" not in await _kinds(its, old):
                    await asyncio.sleep(0.1)
            assert await its.provisioned(await its.ask()) == "running"
        assert (await handle.describe()).status == WorkflowExecutionStatus.RUNNING
        assert await its.state(old) == ("provisioning", None)
        async with its.working():
            assert await its.end("provision", old) == "running"
        assert await its.events(old) == CAME_UP
        done = its.fleet.effects(old)
        assert len(done) == len(set(done)), done

    run(test)


async def _kinds(its: Site, instance: uuid.UUID) -> list[str]:
    """The kinds of events of its workflow's history."""
    history = await its.client.get_workflow_handle(f"provision-{instance}").fetch_history()
    return [EventType.Name(event.event_type) for event in history.events]
