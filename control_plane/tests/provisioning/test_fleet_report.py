"""The fleet in numbers, as provisioning reports it, and the steps that it counts."""

from __future__ import annotations

from uuid import UUID, uuid4

import psycopg

from gpuaas.api.models import GpuType
from gpuaas.provisioning import inventory
from gpuaas.provisioning.states import States
from gpuaas.provisioning.watch import Watch
from gpuaas.reporting.documents import Fleet
from support.provisioning import Run, Site


def test_nodes_and_capacity_are_counted(run: Run, database: psycopg.Connection) -> None:
    async def test(its: Site) -> None:
        watch = Watch(States(its.own), its.controller, lambda: its.client)

        async def told() -> Fleet:
            return await inventory.report(its.controller, watch)

        empty = await told()
        assert [(each.name, each.gpu_type, each.total, each.free) for each in empty.nodes] == [
            ("gpu-01", "H100", 8, 8),
            ("gpu-02", "H100", 8, 8),
            ("gpu-03", "A100", 8, 8),
        ]
        assert [(each.gpu_type, each.total, each.reserved, each.largest) for each in empty.capacity] == [
            ("H100", 16, 0, 8),
            ("A100", 8, 0, 8),
            ("L40S", 0, 0, 0),
        ]
        async with its.working():
            sound = await its.ask(count=2)
            assert await its.provisioned(sound) == "running"
        assert its.steps.done.done().count == 6
        assert its.steps.done.done().last == f"record_running of provision-{sound}"
        its.fleet.fault(kind="gpu_error", instance=str(sound))
        lost = its.fleet.fault(kind="node_lost", node="gpu-03")
        seen = await told()
        on_h100 = [each for each in seen.nodes if each.gpu_type == "H100"]
        assert sum(each.reserved for each in on_h100) == 2
        assert sum(each.faulty for each in on_h100) == 1
        assert [(each.state, each.free) for each in seen.nodes if each.name == "gpu-03"] == [("lost", 0)]
        for capacity in seen.capacity:
            assert capacity.total == capacity.reserved + capacity.free + capacity.unavailable
            nodes = [each for each in seen.nodes if each.gpu_type == capacity.gpu_type]
            assert sum(each.reserved for each in nodes) == capacity.reserved
            assert sum(each.free for each in nodes) == capacity.free
        its.fleet.clear(lost)

    run(test)


def test_disagreements_are_told_until_they_are_settled(run: Run) -> None:
    async def test(its: Site) -> None:
        watch = Watch(States(its.own), its.controller, lambda: its.client)
        stranger: UUID = uuid4()
        await its.controller.reserve(stranger, "H100", 8, key=uuid4().hex)
        assert await watch.once() == 1
        told = await inventory.report(its.controller, watch)
        assert [(each.instance_id, each.reason) for each in told.disagreements] == [(str(stranger), "")]
        # One that is being settled is still one, and is counted once.
        assert await watch.once() == 1
        async with its.working():
            await its.client.get_workflow_handle(f"settle-{stranger}").result()
        assert await watch.once() == 0
        told = await inventory.report(its.controller, watch)
        assert told.disagreements == []
        assert told.settled is not None
        assert told.settled.count == 1
        assert str(stranger) in told.settled.last

    run(test)


def test_a_step_that_fails_is_counted(run: Run) -> None:
    async def test(its: Site) -> None:
        await its.controller.reserve(uuid4(), "A100", 8, key=uuid4().hex)
        asked = await its.ask(GpuType.A100)
        async with its.working():
            assert await its.provisioned(asked) == "failed"
        assert its.steps.failed.done().last == f"reserve of provision-{asked}"

    run(test)
