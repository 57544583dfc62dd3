"""The provisioning worker as a process: what it opens, what its readiness asks."""

from __future__ import annotations

import asyncio
import ssl

from gpuaas import database, probes
from gpuaas.connections import open_while
from gpuaas.fleet.client import Fleet
from gpuaas.messaging.connection import Messaging
from gpuaas.messaging.consumer import Consumer
from gpuaas.messaging.lag import lag
from gpuaas.provisioning import inventory
from gpuaas.provisioning.operation_activities import every
from gpuaas.provisioning.starter import FILTERS, Starter
from gpuaas.provisioning.states import States
from gpuaas.provisioning.status import NAME
from gpuaas.provisioning.temporal import Temporal
from gpuaas.provisioning.watch import Watch
from gpuaas.reporting import documents, reporter
from gpuaas.reporting.reporter import Reporter
from gpuaas.settings import ProvisioningSecrets, ProvisioningSettings
from gpuaas.worker import Worker

CONNECTIONS = 4


def create_worker(settings: ProvisioningSettings, secrets: ProvisioningSecrets, tls: ssl.SSLContext) -> Worker:
    """Build it; connections are opened when it works. Raises ConfigurationError."""
    messaging = Messaging(settings, NAME)
    pool = database.create_pool(settings, secrets.database_password, size=CONNECTIONS)
    fleet = Fleet.of(settings, secrets, tls)
    states = States(pool)
    temporal = Temporal(settings, secrets, every(fleet, states))
    watch = Watch(states, fleet, temporal.client)
    consumer = Consumer(messaging, NAME, FILTERS, Starter(temporal.client).handle)
    checks = {
        "nats": probes.answering(messaging.fault),
        "events": probes.answering(consumer.fault),
        "temporal": probes.answering(temporal.fault),
        "payloads": probes.answering(temporal.codec.fault),
        "fleet": probes.answering(watch.rounds.fault),
    }
    tallies = [*consumer.tallies, *temporal.steps.tallies]
    reports = Reporter(
        pool,
        reporter.of_worker(NAME, checks, tallies, lambda: lag(messaging, NAME)),
        {documents.FLEET: lambda: inventory.report(fleet, watch)},
    )

    async def work() -> None:
        async with open_while(messaging, pool), fleet, reports.beside(), asyncio.TaskGroup() as tasks:
            tasks.create_task(temporal.run())
            tasks.create_task(consumer.run())
            tasks.create_task(watch.run())

    return Worker(work, checks, settings.probe_port, settings.log_level)
