"""The worker as a process: what it opens, what its readiness asks."""

from __future__ import annotations

import asyncio
import ssl

from gpuaas import database, probes
from gpuaas.app_runtime.keeper import Keeper
from gpuaas.app_runtime.workloads import NAME, Workloads
from gpuaas.connections import open_while
from gpuaas.fleet.client import Fleet
from gpuaas.messaging.connection import Messaging
from gpuaas.messaging.consumer import Consumer, Delivery
from gpuaas.messaging.lag import lag
from gpuaas.reporting import reporter
from gpuaas.reporting.reporter import Reporter
from gpuaas.settings import FleetSecrets, FleetSettings
from gpuaas.worker import Worker

# Whatever happens to an instance, but not what happens to its workload, which is this worker's own.
FILTERS = ("instances.*.*",)
CONNECTIONS = 2


def create_consumer(messaging: Messaging, workloads: Workloads, keeper: Keeper) -> Consumer:
    """The consumer that decides by each event, and has the rest done at once."""

    async def handle(delivery: Delivery) -> None:
        if await workloads.handle(delivery.event):
            keeper.wake()

    return Consumer(messaging, NAME, FILTERS, handle)


def create_worker(settings: FleetSettings, secrets: FleetSecrets, tls: ssl.SSLContext) -> Worker:
    """Build it; connections are opened when it works. Raises ConfigurationError."""
    messaging = Messaging(settings, NAME)
    pool = database.create_pool(settings, secrets.database_password, size=CONNECTIONS)
    fleet = Fleet.of(settings, secrets, tls)
    workloads = Workloads(pool)
    keeper = Keeper(workloads, fleet)
    consumer = create_consumer(messaging, workloads, keeper)
    checks = {
        "nats": probes.answering(messaging.fault),
        "events": probes.answering(consumer.fault),
        "workloads": probes.answering(keeper.rounds.fault),
    }
    reports = Reporter(pool, reporter.of_worker(NAME, checks, consumer.tallies, lambda: lag(messaging, NAME)))

    async def work() -> None:
        async with open_while(messaging, pool), fleet, reports.beside(), asyncio.TaskGroup() as tasks:
            tasks.create_task(consumer.run())
            tasks.create_task(keeper.run())

    return Worker(work, checks, settings.probe_port, settings.log_level)
