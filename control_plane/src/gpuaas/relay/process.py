"""The relay as a process: what it opens, what its readiness asks."""

from __future__ import annotations

from gpuaas import database, probes
from gpuaas.connections import open_while
from gpuaas.messaging.connection import Messaging
from gpuaas.relay.relay import Relay
from gpuaas.relay.streams import Observer
from gpuaas.reporting import documents, reporter
from gpuaas.reporting.reporter import Reporter
from gpuaas.settings import WorkerSecrets, WorkerSettings
from gpuaas.worker import Worker

NAME = "outbox-relay"


def create_worker(settings: WorkerSettings, secrets: WorkerSecrets) -> Worker:
    """Build it; connections are opened when it works. Raises ConfigurationError."""
    messaging = Messaging(settings, NAME)
    pool = database.create_pool(settings, secrets.database_password, size=1)
    relay = Relay(pool, messaging)
    checks = {"nats": probes.answering(messaging.fault), "outbox": probes.answering(relay.rounds.fault)}
    observer = Observer(messaging)
    reports = Reporter(
        pool,
        reporter.of_worker(NAME, checks, [relay.published]),
        {documents.STREAMS: observer.streams, documents.DEAD_LETTERS: observer.dead_letters},
    )

    async def work() -> None:
        async with open_while(messaging, pool), reports.beside():
            await relay.run()

    return Worker(work, checks, settings.probe_port, settings.log_level)
