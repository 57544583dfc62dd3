"""The worker as a process: what it opens, what its readiness asks."""

from __future__ import annotations

from gpuaas import database, probes
from gpuaas.connections import open_while
from gpuaas.database import Pool
from gpuaas.messaging.connection import Messaging
from gpuaas.messaging.consumer import Consumer, Delivery
from gpuaas.messaging.lag import lag
from gpuaas.notification import timeline
from gpuaas.reporting import reporter
from gpuaas.reporting.reporter import Reporter
from gpuaas.settings import WorkerSecrets, WorkerSettings
from gpuaas.worker import Worker

NAME = "notification"
FILTER_SUBJECTS = ("instances.>",)
# Timelines are written one event at a time; the second connection prepares what comes next.
CONNECTIONS = 2


def create_consumer(messaging: Messaging, pool: Pool) -> Consumer:
    """The consumer of all events that writes the timeline."""

    async def handle(delivery: Delivery) -> None:
        async with pool.connection() as connection:
            await timeline.record(connection, delivery.event)

    return Consumer(messaging, NAME, FILTER_SUBJECTS, handle)


def create_worker(settings: WorkerSettings, secrets: WorkerSecrets) -> Worker:
    """Build it; connections are opened when it works. Raises ConfigurationError."""
    messaging = Messaging(settings, NAME)
    pool = database.create_pool(settings, secrets.database_password, size=CONNECTIONS)
    consumer = create_consumer(messaging, pool)
    checks = {"nats": probes.answering(messaging.fault), "events": probes.answering(consumer.fault)}
    reports = Reporter(pool, reporter.of_worker(NAME, checks, consumer.tallies, lambda: lag(messaging, NAME)))

    async def work() -> None:
        async with open_while(messaging, pool), reports.beside():
            await consumer.run()

    return Worker(work, checks, settings.probe_port, settings.log_level)
