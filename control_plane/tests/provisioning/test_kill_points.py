"""A provisioning worker that is killed after the effect of each of its steps, and before it reports it.

All of them at once, each in a process and with a task queue of its own: what takes its time is that nobody knows of a death
but by what is not heard any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from gpuaas.api.models import GpuType
from gpuaas.provisioning.order import Disagreement, Order
from gpuaas.settings import MigrateSecrets, MigrateSettings
from support.doomed import Reach, killed
from support.fleet import TOKEN, RunningFleet
from support.provisioning import PROJECT, Run, Site

CAME_UP = ("requested", "provisioning", "running")
WENT = (*CAME_UP, "deleted", "released")


@dataclass(frozen=True)
class Killed:
    """After which step of which workflow, and how the instance must end all the same."""

    workflow: str
    step: str
    ends: str
    events: tuple[str, ...]
    held: tuple[str, ...]

    @property
    def asked(self) -> tuple[GpuType, int]:
        """Of which GPUs, and how many; those of one kind are all taken."""
        return (
            (GpuType.A100, 8) if self.ends == "failed" and self.workflow == "ProvisionInstance" else (GpuType.H100, 1)
        )

    @property
    def queue(self) -> str:
        return f"{self.workflow}-{self.step}"


POINTS = [
    *(
        Killed("ProvisionInstance", step, "running", CAME_UP, ("running",))
        for step in ("begin", "reserve", "attach_storage", "start", "verify", "record_running")
    ),
    Killed("ProvisionInstance", "record_failed", "failed", ("requested", "provisioning", "failed"), ()),
    *(Killed("ReleaseInstance", step, "deleted", WENT, ()) for step in ("release", "record_released")),
    *(
        Killed("SettleInstance", step, "failed", (*CAME_UP, "failed"), ())
        for step in ("record_lost", "release_unwanted")
    ),
]


@pytest.fixture(autouse=True)
def as_many_as_there_are_points(superuser: psycopg.Connection, database: psycopg.Connection) -> Iterator[None]:
    """The role has connections for one worker and the next."""
    limit = superuser.execute("SELECT rolconnlimit FROM pg_roles WHERE rolname = 'gpuaas_provisioning'").fetchone()
    assert limit
    superuser.execute("ALTER ROLE gpuaas_provisioning CONNECTION LIMIT -1")
    yield
    superuser.execute(f"ALTER ROLE gpuaas_provisioning CONNECTION LIMIT {limit[0]}")


@pytest.fixture
def reach(
    migrate_settings: MigrateSettings, migrate_secrets: MigrateSecrets, fleet: RunningFleet, temporal: str
) -> Reach:
    url = f"https://127.0.0.1:{fleet.port}"
    return Reach(migrate_settings, migrate_secrets.database_password, url, TOKEN, fleet.ca, temporal)


def test_a_worker_killed_between_effect_and_report_has_one_effect(run: Run, reach: Reach) -> None:
    async def test(its: Site) -> None:
        # Whoever fails does so because nothing is left.
        await its.controller.reserve(uuid4(), "A100", 8, key=uuid4().hex)
        instances = await _instances(its)
        for point, instance in instances.items():
            await _begin(its, point, instance)
        assert await killed(reach, [(point.queue, point.step) for point in POINTS])
        async with AsyncExitStack() as successors:
            for point in POINTS:
                await successors.enter_async_context(its.working(point.queue))
            await asyncio.gather(*(its.end(point.queue, instance) for point, instance in instances.items()))
        for point, instance in instances.items():
            assert (await its.state(instance))[0] == point.ends, point
            assert tuple(await its.events(instance)) == point.events, point
            assert tuple(await its.held(instance)) == point.held, point
            done = its.fleet.effects(instance)
            assert len(done) == len(set(done)), (point, done)

    run(test)


async def _instances(its: Site) -> dict[Killed, UUID]:
    """For each point an instance that is as its workflow expects it."""
    runs = [point for point in POINTS if point.workflow != "ProvisionInstance"]
    instances = {point: await its.ask(count=1) for point in runs}
    async with its.working():
        for instance in instances.values():
            assert await its.provisioned(instance) == "running"
    for point, instance in instances.items():
        if point.workflow == "ReleaseInstance":
            await its.delete(instance)
    for point in POINTS:
        if point not in instances:
            instances[point] = await its.ask(*point.asked)
    return instances


async def _begin(its: Site, point: Killed, instance: UUID) -> None:
    kind, count = point.asked
    given: Any = Order(str(instance), PROJECT, "trainer", kind.value, count)
    if point.workflow == "SettleInstance":
        given = Disagreement(str(instance), "node_lost", "its node is gone")
    await its.client.start_workflow(point.workflow, given, id=f"{point.queue}-{instance}", task_queue=point.queue)
