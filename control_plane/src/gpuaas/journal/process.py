"""The worker as a process: what it opens, what its readiness asks, what it reports. It holds no key that opens an event."""

from __future__ import annotations

import asyncio

from gpuaas import database, probes
from gpuaas.encryption.security import SecurityMode
from gpuaas.journal import outbox
from gpuaas.journal.feeder import Feeder
from gpuaas.journal.journal import Journal
from gpuaas.journal.outbox import Lag
from gpuaas.journal.reasons import REASONS, Reason
from gpuaas.journal.store import Access
from gpuaas.journal.watch import Watch
from gpuaas.reporting import documents, reporter
from gpuaas.reporting.reporter import Reporter
from gpuaas.settings import ConfigurationError, JournalSecrets, JournalSettings, MigrateSecrets
from gpuaas.worker import Worker

NAME = "journal"
# One that notes what was written, one for reports and verification.
CONNECTIONS = 2
# A worker that is behind for longer than this says since when.
BEHIND_SECONDS = 15.0
# Whoever has more projects is told how many.
MAX_CHAINS = 100


def open_journal(settings: JournalSettings, secrets: MigrateSecrets) -> Journal:
    """The store that the settings name. Raises ConfigurationError."""
    store = settings.journal_store
    if store.is_file and settings.security_mode is not SecurityMode.LOCAL:
        raise ConfigurationError(
            f"{Reason.FILE_NOT_LOCAL}: GPUAAS_JOURNAL_STORE is a file, and GPUAAS_SECURITY_MODE is {settings.security_mode}:"
            f" {REASONS[Reason.FILE_NOT_LOCAL].do}"
        )
    if not isinstance(secrets, JournalSecrets):
        return store.journal(None)
    key = (secrets.journal_access_key_id, secrets.journal_secret_access_key)
    try:
        return store.journal(Access(key, settings.journal_certificate, settings.ca_file))
    except OSError:
        raise ConfigurationError("what GPUAAS_JOURNAL_CERTIFICATE or GPUAAS_CA_FILE names cannot be used") from None


def create_worker(settings: JournalSettings, secrets: MigrateSecrets) -> Worker:
    """Build it; connections are opened when it works. Raises ConfigurationError."""
    journal = open_journal(settings, secrets)
    pool = database.create_pool(settings, secrets.database_password, size=CONNECTIONS)
    feeder, watch = Feeder(pool, journal), Watch(pool, journal)
    checks = {"journal": probes.answering(feeder.fault), "chains": probes.answering(watch.fault)}

    async def report() -> documents.Journal:
        async with pool.connection() as connection:
            lag = await outbox.lag(connection)
        return described(lag, feeder, watch)

    reports = Reporter(pool, reporter.of_worker(NAME, checks, [feeder.written]), {documents.JOURNAL: report})

    async def work() -> None:
        await pool.open(wait=False)
        try:
            async with reports.beside(), asyncio.TaskGroup() as tasks:
                tasks.create_task(feeder.run())
                tasks.create_task(watch.run())
        finally:
            await pool.close()
            journal.close()

    return Worker(work, checks, settings.probe_port, settings.log_level)


def described(lag: Lag, feeder: Feeder, watch: Watch) -> documents.Journal:
    """What a report says: since when the journal is behind, and why; how far each chain is, and how far it was verified."""
    fault = feeder.fault()
    chains = [
        documents.JournalChain(
            project=project,
            start=its.start.number,
            number=its.number,
            # What is there and not noted yet is verified too.
            verified=min(its.verdict.verified.number, its.number) if its.verdict else its.start.number,
            faults=its.faults,
        )
        for project, its in sorted(watch.chains.items(), key=lambda item: (not item[1].faults, item[0]))
    ]
    return documents.Journal(
        waiting=lag.waiting,
        behind_since=lag.oldest if fault or lag.seconds > BEHIND_SECONDS else None,
        reason=fault or "",
        chains=chains[:MAX_CHAINS],
        more=len(chains[MAX_CHAINS:]),
    )
