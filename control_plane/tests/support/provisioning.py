"""Instances, their workflows and the fleet, as a test of provisioning sees them."""

from __future__ import annotations

import asyncio
import dataclasses
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from temporalio.client import Client

from gpuaas import database
from gpuaas.api.models import GpuType, InstanceRequest
from gpuaas.api.store import Store
from gpuaas.database import Pool
from gpuaas.fleet.client import Fleet
from gpuaas.messaging.consumer import Delivery
from gpuaas.provisioning.activities import Activities
from gpuaas.provisioning.order import TASK_QUEUE
from gpuaas.provisioning.starter import Starter
from gpuaas.provisioning.states import States
from gpuaas.provisioning.temporal import NAMESPACE, WORKFLOWS, create_worker
from gpuaas.provisioning.watch import Watch
from gpuaas.relay import outbox
from gpuaas.settings import MigrateSettings
from support import histories
from support.fleet import RunningFleet

type Run = Callable[[Callable[[Site], Awaitable[None]]], None]
SUBJECT = "alice"
PROJECT = "atlas"


@dataclass
class Site:
    """A database, a fleet and Temporal; events go from the outbox to the starter without a stream."""

    pool: Pool
    own: Pool  # of the worker's role
    fleet: RunningFleet
    controller: Fleet
    client: Client

    async def ask(self, gpu_type: GpuType = GpuType.H100, count: int = 8) -> uuid.UUID:
        """Ask for an instance, as the API does; returns its id."""
        request = InstanceRequest(name="trainer", gpu_type=gpu_type, gpu_count=count)
        created = await Store(self.pool).create(SUBJECT, uuid.uuid4().hex, PROJECT, request)
        return created.instance_id

    async def delete(self, instance: uuid.UUID) -> None:
        """Delete an instance, as the API does."""
        await Store(self.pool).delete(SUBJECT, (PROJECT,), instance)

    async def relay(self, times: int = 1) -> None:
        """Hand every event that waits to the starter, so many times each."""
        starter = Starter(lambda: self.client)
        async with self.pool.connection() as connection:
            while rows := await outbox.claim(connection, 100):
                for row in rows:
                    if row.event.type in ("instance.requested", "instance.deleted"):
                        for _time in range(times):
                            await starter.handle(Delivery(row.event, row.id, 1))
                await outbox.published(connection, [row.id for row in rows])

    async def rewind(self, instance: uuid.UUID) -> None:
        """Have the events of an instance published again, as when the stream is rebuilt."""
        async with self.pool.connection() as connection:
            await connection.execute("UPDATE outbox SET published_at = NULL WHERE instance_id = %s", [instance])

    async def end(self, what: str, instance: uuid.UUID) -> str:
        """What a workflow came to."""
        result: str = await asyncio.wait_for(self.client.get_workflow_handle(f"{what}-{instance}").result(), 60)
        return result

    async def provisioned(self, instance: uuid.UUID) -> str:
        """Begin what waits, and see what became of the instance."""
        await self.relay()
        return await self.end("provision", instance)

    async def keep(self, what: str, instance: uuid.UUID, name: str) -> None:
        """See that a history is kept under ``name``, for whoever changes the workflow's code."""
        handle = self.client.get_workflow_handle(f"{what}-{instance}")
        histories.keep(name, await handle.fetch_history())

    async def state(self, instance: uuid.UUID) -> tuple[str, str | None]:
        """State of an instance, and the reason."""
        async with self.pool.connection() as connection:
            row = await (
                await connection.execute("SELECT state, reason FROM instances WHERE id = %s", [instance])
            ).fetchone()
        assert row
        return row["state"], row["reason"]

    async def events(self, instance: uuid.UUID) -> list[str]:
        """The events of an instance, in order."""
        async with self.pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT event_type FROM outbox WHERE instance_id = %s ORDER BY id", [instance]
            )
            return [row["event_type"].removeprefix("instance.") for row in await cursor.fetchall()]

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

    @asynccontextmanager
    async def working(self, queue: str = TASK_QUEUE, workflows: Sequence[type] = WORKFLOWS) -> AsyncIterator[None]:
        """A worker; gone at the end, with what it was doing."""
        activities = Activities(self.controller, States(self.own)).all()
        async with create_worker(self.client, activities, queue, workflows=workflows):
            yield


@asynccontextmanager
async def site(settings: MigrateSettings, password: str, fleet: RunningFleet, address: str) -> AsyncIterator[Site]:
    """A site whose database is there and empty."""

    def pool_of(user: str) -> Pool:
        return database.create_pool(dataclasses.replace(settings, database_user=user), password, size=6)

    controller = fleet.client()
    client = await Client.connect(address, namespace=NAMESPACE, identity="worker")
    async with pool_of("gpuaas") as pool, pool_of("gpuaas_provisioning") as own:
        try:
            yield Site(pool, own, fleet, controller, client)
        finally:
            await controller.close()
