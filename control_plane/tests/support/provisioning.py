"""Instances, their workflows and the fleet, as a test of provisioning sees them."""

from __future__ import annotations

import asyncio
import dataclasses
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from temporalio.client import Client

from gpuaas import database, tracing
from gpuaas.api.models import GpuType, InstanceRequest
from gpuaas.api.operations import Asker, Operations
from gpuaas.api.store import Store
from gpuaas.database import Pool
from gpuaas.fleet.client import Fleet
from gpuaas.messaging.consumer import Delivery
from gpuaas.provisioning.operation_activities import every
from gpuaas.provisioning.order import TASK_QUEUE
from gpuaas.provisioning.starter import BEGUN, Starter, workflow_id
from gpuaas.provisioning.states import States
from gpuaas.provisioning.steps import Steps
from gpuaas.provisioning.temporal import NAMESPACE, WORKFLOWS, create_worker
from gpuaas.provisioning.watch import Watch
from gpuaas.relay import outbox
from gpuaas.settings import MigrateSettings
from support import histories
from support.fleet import RunningFleet
from support.payloads import CONVERTER

type Run = Callable[[Callable[[Site], Awaitable[None]]], None]
SUBJECT = "alice"
PROJECT = "atlas"
ALLOWED = 100


@dataclass
class Site:
    """A database, a fleet and Temporal; events go from the outbox to the starter without a stream."""

    pool: Pool
    own: Pool  # of the worker's role
    fleet: RunningFleet
    controller: Fleet
    client: Client
    steps: Steps = field(default_factory=Steps)

    async def ask(self, gpu_type: GpuType = GpuType.H100, count: int = 8) -> uuid.UUID:
        """Ask for an instance, as the API does; returns its id."""
        request = InstanceRequest(name="trainer", gpu_type=gpu_type, gpu_count=count)
        created = await Store(self.pool, ALLOWED).create(SUBJECT, uuid.uuid4().hex, PROJECT, request)
        return created.instance_id

    async def delete(self, instance: uuid.UUID) -> None:
        """Delete an instance, as the API does."""
        await Store(self.pool, ALLOWED).delete(SUBJECT, (PROJECT,), instance)

    async def stop(self, instance: uuid.UUID) -> None:
        """Ask for an instance to be stopped, as the API does."""
        await Operations(self.pool, ALLOWED).stop(_asker(), instance)

    async def start(self, instance: uuid.UUID) -> None:
        """Ask for an instance to be started, as the API does."""
        await Operations(self.pool, ALLOWED).start(_asker(), instance)

    async def resize(self, instance: uuid.UUID, count: int) -> None:
        """Ask for another number of GPUs, as the API does."""
        await Operations(self.pool, ALLOWED).resize(_asker(), instance, count)

    async def relay(self, times: int = 1) -> None:
        """Hand every event that waits to the starter, so many times each."""
        starter = Starter(lambda: self.client)
        async with self.pool.connection() as connection:
            while rows := await outbox.claim(connection, 100):
                for row in rows:
                    if row.event.type in BEGUN:
                        for _time in range(times):
                            await starter.handle(Delivery(row.event, row.id, 1))
                await outbox.published(connection, [row.id for row in rows])

    async def rewind(self, instance: uuid.UUID) -> None:
        """Have the events of an instance published again, as when the stream is rebuilt."""
        async with self.pool.connection() as connection:
            await connection.execute("UPDATE outbox SET published_at = NULL WHERE instance_id = %s", [instance])

    async def end(self, what: str, instance: uuid.UUID, operation: int = 0) -> str:
        """What a workflow came to."""
        handle = self.client.get_workflow_handle(workflow_id(what, str(instance), operation))
        result: str = await asyncio.wait_for(handle.result(), 60)
        return result

    async def provisioned(self, instance: uuid.UUID) -> str:
        """Begin what waits, and see what became of the instance."""
        await self.relay()
        return await self.end("provision", instance)

    async def done(self, what: str, instance: uuid.UUID, operation: int) -> str:
        """Begin what waits, and see what came of an operation."""
        await self.relay()
        return await self.end(what, instance, operation)

    async def keep(self, what: str, instance: uuid.UUID, name: str, operation: int = 0) -> None:
        """See that a history is kept under ``name``, for whoever changes the workflow's code."""
        handle = self.client.get_workflow_handle(workflow_id(what, str(instance), operation))
        histories.keep(name, await handle.fetch_history())

    async def state(self, instance: uuid.UUID) -> tuple[str, str | None]:
        """State of an instance, and the reason."""
        async with self.pool.connection() as connection:
            row = await (
                await connection.execute("SELECT state, reason FROM instances WHERE id = %s", [instance])
            ).fetchone()
        assert row
        return row["state"], row["reason"]

    async def size(self, instance: uuid.UUID) -> tuple[int, int | None]:
        """How many GPUs an instance has, and how many it is to get."""
        async with self.pool.connection() as connection:
            row = await (
                await connection.execute("SELECT gpu_count, wanted_gpu_count FROM instances WHERE id = %s", [instance])
            ).fetchone()
        assert row
        return row["gpu_count"], row["wanted_gpu_count"]

    async def events(self, instance: uuid.UUID) -> list[str]:
        """The events of an instance, in order."""
        async with self.pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT event_type FROM outbox WHERE instance_id = %s ORDER BY id", [instance]
            )
            return [row["event_type"].removeprefix("instance.") for row in await cursor.fetchall()]

    def slow(self) -> None:
        """Have everything on the nodes with H100 last, so that something can happen meanwhile."""
        for node in ("gpu-01", "gpu-02"):
            self.fleet.fault(kind="node_slow", node=node, factor=20)

    async def until_held(self, instance: uuid.UUID, state: str) -> None:
        """Wait until a reservation of an instance is in a state."""
        async with asyncio.timeout(30):
            while state not in await self.held(instance):
                await asyncio.sleep(0.05)

    async def held(self, instance: uuid.UUID) -> list[str]:
        """The states of the reservations that an instance holds."""
        return [its.state for its in await self.controller.of_instance(instance) if its.state != "released"]

    async def settle(self) -> int:
        """Compare once what the database believes and what the fleet says."""
        return await Watch(States(self.own), self.controller, lambda: self.client).once()

    async def until_settled(self) -> None:
        """Compare until they agree, having disagreed."""
        async with asyncio.timeout(60):
            while not await self.settle():
                await asyncio.sleep(0.05)
            while await self.settle():
                await asyncio.sleep(0.05)

    async def lose(self, instance: uuid.UUID) -> None:
        """Release an instance's GPUs behind everybody's back."""
        for its in await self.controller.of_instance(instance):
            await self.controller.release(await self.controller.get(its.id))

    async def until_released(self, instance: uuid.UUID) -> None:
        """Wait until an instance holds nothing."""
        async with asyncio.timeout(30):
            while await self.held(instance):
                await asyncio.sleep(0.05)

    @asynccontextmanager
    async def working(self, queue: str = TASK_QUEUE, workflows: Sequence[type] = WORKFLOWS) -> AsyncIterator[None]:
        """A worker; gone at the end, with what it was doing."""
        activities = every(self.controller, States(self.own))
        async with create_worker(self.client, activities, queue, [self.steps], workflows):
            yield


type Run = Callable[[Callable[[Site], Awaitable[None]]], None]


def _asker() -> Asker:
    """Somebody of the project, with an intent of its own."""
    return Asker(SUBJECT, uuid.uuid4().hex, (PROJECT,))


@asynccontextmanager
async def site(settings: MigrateSettings, password: str, fleet: RunningFleet, address: str) -> AsyncIterator[Site]:
    """A site whose database is there and empty."""

    def pool_of(user: str) -> Pool:
        return database.create_pool(dataclasses.replace(settings, database_user=user), password, size=6)

    controller = fleet.client()
    client = await Client.connect(
        address,
        namespace=NAMESPACE,
        identity="worker",
        interceptors=tracing.temporal(),
        data_converter=CONVERTER,
    )
    async with pool_of("gpuaas") as pool, pool_of("gpuaas_provisioning") as own:
        try:
            yield Site(pool, own, fleet, controller, client)
        finally:
            await controller.close()
