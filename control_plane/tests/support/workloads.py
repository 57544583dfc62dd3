"""Instances that run, their workloads and the fleet, as a test of app-runtime sees them."""

from __future__ import annotations

import asyncio
import dataclasses
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psycopg

from gpuaas import database as connections
from gpuaas.app_runtime.keeper import Keeper
from gpuaas.app_runtime.workloads import Workloads
from gpuaas.fleet.client import Fleet
from gpuaas.fleet.reservation import Reservation, Seen
from gpuaas.messaging.events import Event
from gpuaas.settings import MigrateSettings
from support.fleet import RunningFleet
from support.streaming import event


@dataclass
class Site:
    """A database and a fleet; what provisioning does to instances a test does itself."""

    database: psycopg.Connection
    workloads: Workloads  # with the worker's role
    keeper: Keeper
    fleet: RunningFleet
    controller: Fleet

    async def running(self, workload: str | None = "notebook", count: int = 4) -> uuid.UUID:
        """An instance that runs, on GPUs that do."""
        instance = uuid.uuid4()
        await self.controller.reserve(instance, "H100", count, key=uuid.uuid4().hex)
        await self.start(instance)
        self.database.execute(
            "INSERT INTO instances (id, project, name, gpu_type, gpu_count, state, created_by, created_at, workload)"
            " VALUES (%s, 'atlas', 'one', 'H100', %s, 'running', 'alice', now(), %s)",
            [instance, count, workload],
        )
        return instance

    async def start(self, instance: uuid.UUID) -> None:
        """Start its GPUs."""
        seen = await self._seen(instance)
        await self.controller.start(seen, key=uuid.uuid4().hex)
        await self._until(instance, lambda its: its.state == "running")

    async def stop(self, instance: uuid.UUID) -> None:
        """Stop its GPUs."""
        seen = await self._seen(instance)
        path = f"/reservations/{seen.reservation.id}/stop"
        await self.controller._seen("POST", path, key=uuid.uuid4().hex, match=seen.etag)
        await self._until(instance, lambda its: its.state == "stopped")

    async def deploy(self, instance: uuid.UUID) -> None:
        """Deploy a workload behind everybody's back."""
        await self.controller.deploy(await self._seen(instance), "stranger", key=uuid.uuid4().hex)
        await self._until(instance, lambda its: its.operation is None)

    async def remove(self, instance: uuid.UUID) -> None:
        """Remove it behind everybody's back."""
        await self.controller.remove(await self._seen(instance))
        await self._until(instance, lambda its: its.workload is None)

    async def set(self, instance: uuid.UUID, state: str) -> None:
        """Put an instance into a state."""
        self.database.execute(
            "UPDATE instances SET state = %s, deleted_at = CASE WHEN %s = 'deleted' THEN now() END WHERE id = %s",
            [state, state, instance],
        )

    async def happened(self, instance: uuid.UUID, what: str) -> Event:
        """Hand the worker an event."""
        it = event(instance, f"instance.{what}")
        await self.workloads.handle(it)
        return it

    async def until_settled(self, *borne: type[Exception]) -> int:
        """Look until there is nothing left to do; returns how many looks ended with what is ``borne``."""
        failed, done = 0, False
        async with asyncio.timeout(60):
            while not done:
                try:
                    done = await self.keeper.once()
                except borne:
                    failed += 1
                await asyncio.sleep(0.02)
        return failed

    async def state(self, instance: uuid.UUID) -> str | None:
        """How the database says its workload does."""
        row = self.database.execute("SELECT workload_state FROM instances WHERE id = %s", [instance]).fetchone()
        assert row
        return row[0] if row[0] is None else str(row[0])

    async def events(self, instance: uuid.UUID) -> list[str]:
        """What was told of its workload, in order."""
        found = self.database.execute(
            "SELECT event_type FROM outbox WHERE instance_id = %s ORDER BY id", [instance]
        ).fetchall()
        return [str(kind).removeprefix("instance.workload.") for (kind,) in found]

    async def _seen(self, instance: uuid.UUID) -> Seen:
        [held] = [its for its in await self.controller.of_instance(instance) if its.state != "released"]
        return await self.controller.get(held.id)

    async def _until(self, instance: uuid.UUID, there: Callable[[Reservation], bool]) -> None:
        async with asyncio.timeout(30):
            while not there((await self._seen(instance)).reservation):
                await asyncio.sleep(0.02)


@asynccontextmanager
async def site(
    database: psycopg.Connection, settings: MigrateSettings, password: str, fleet: RunningFleet
) -> AsyncIterator[Site]:
    """A site whose database is there and empty."""
    own = dataclasses.replace(settings, database_user="gpuaas_runtime")
    async with connections.create_pool(own, password, size=4) as pool, fleet.client() as controller:
        workloads = Workloads(pool)
        yield Site(database, workloads, Keeper(workloads, controller), fleet, controller)
