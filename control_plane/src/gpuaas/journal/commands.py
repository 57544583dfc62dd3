"""``gpuaas journal --status``, ``--verify`` and ``--restore``, each over connections of its own; lines of JSON."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg

from gpuaas import database
from gpuaas.database import Pool
from gpuaas.journal import outbox
from gpuaas.journal.chain import GENESIS, Record, following
from gpuaas.journal.feeder import said
from gpuaas.journal.journal import Journal
from gpuaas.journal.outbox import Chain
from gpuaas.journal.process import open_journal
from gpuaas.journal.reasons import AWAY, JournalError
from gpuaas.journal.restore import restored
from gpuaas.journal.verification import Verification, unreadable
from gpuaas.settings import JournalSettings, MigrateSecrets

# An event that waits for longer than this does not wait for its turn.
LATE_SECONDS = 30.0
# Of nobody: a project's name begins with a letter or a number.
PROBE = Record(".probe", uuid.UUID(int=1), "journal.probe", 1, "2026-01-01T00:00:00.000000Z", b"{}")

type _Command = Callable[[Pool, Journal], Awaitable[list[tuple[bool, dict[str, Any]]]]]


def status(settings: JournalSettings, secrets: MigrateSecrets) -> int:
    """Whether the store takes an entry once and not over another, whether the newest entry of each chain is there, and what waits."""
    return _run(settings, secrets, _status)


def verify(settings: JournalSettings, secrets: MigrateSecrets, project: str | None) -> int:
    """Read the chain of a project, or of all, up to the head that the database knows."""

    async def command(pool: Pool, journal: Journal) -> list[tuple[bool, dict[str, Any]]]:
        return [await asyncio.to_thread(_verified, journal, chain) for chain in await _chains(pool, project)]

    return _run(settings, secrets, command)


def restore(settings: JournalSettings, secrets: MigrateSecrets, project: str | None) -> int:
    """Write lost entries of a project, or of all, again from the outbox, and say which ones it does not have."""

    async def command(pool: Pool, journal: Journal) -> list[tuple[bool, dict[str, Any]]]:
        await asyncio.to_thread(journal.prepare)
        told = []
        for chain in await _chains(pool, project):
            async with pool.connection() as connection:
                done = await restored(connection, journal, chain)
            told.append((True, {"project": chain.project, "restored": done.restored, "lost": done.lost}))
        return told

    return _run(settings, secrets, command)


def _run(settings: JournalSettings, secrets: MigrateSecrets, command: _Command) -> int:
    """Print what it says; returns the exit status: 1 when something is not as it should be, or nobody can tell."""

    async def run() -> list[tuple[bool, dict[str, Any]]]:
        async with database.create_pool(settings, secrets.database_password, size=1) as pool:
            return await command(pool, journal)

    journal = open_journal(settings, secrets)
    try:
        told = asyncio.run(run())
    except (psycopg.Error, JournalError) as error:
        print(json.dumps({"error": said(error), **({"do": error.advice} if isinstance(error, JournalError) else {})}))
        return 1
    except LookupError as error:
        print(json.dumps({"error": str(error.args[0])}))
        return 1
    finally:
        journal.close()
    for _good, document in told:
        print(json.dumps(document))
    return 0 if all(good for good, _document in told) else 1


async def _status(pool: Pool, journal: Journal) -> list[tuple[bool, dict[str, Any]]]:
    async with pool.connection() as connection:
        chains = (await outbox.chains(connection)).values()
        lag = await outbox.lag(connection)
    if all(chain.head.number == 0 for chain in chains):
        await asyncio.to_thread(journal.prepare)
    refuses = await asyncio.to_thread(_refuses, journal)
    lost = [chain.project for chain in chains if not await asyncio.to_thread(_has_newest, journal, chain)]
    document = {
        "waiting": lag.waiting,
        "oldest_seconds": round(lag.seconds, 1),
        "refuses_a_second_entry": refuses,
        "newest_entry_differs": lost,
    }
    return [(refuses and not lost and lag.seconds <= LATE_SECONDS, document)]


def _refuses(journal: Journal) -> bool:
    """Write an entry, that may be there; then another one in its place; then read."""
    entry = following(GENESIS, PROBE)
    journal.append(entry)
    other = dataclasses.replace(entry, record=dataclasses.replace(PROBE, event_id=uuid.uuid4()))
    return not journal.append(other) and journal.page(PROBE.project, 0, 1) == [entry]


def _has_newest(journal: Journal, chain: Chain) -> bool:
    if chain.head == chain.start:
        return True
    found = journal.page(chain.project, chain.head.number - 1, 1)
    return bool(found) and found[0].pin == chain.head


def _verified(journal: Journal, chain: Chain) -> tuple[bool, dict[str, Any]]:
    reading = Verification(chain.project, chain.start)
    try:
        while entries := journal.page(chain.project, reading.number):
            reading.read(entries, chain.head.number)
        verdict = reading.end(chain.head)
    except JournalError as error:
        if error.reason in AWAY:
            raise
        verdict = unreadable(chain.start, error)
    findings = [{**dataclasses.asdict(its), "reason": its.reason.value} for its in verdict.findings]
    document = {
        "project": chain.project,
        "from": chain.start.number + 1,
        "verified": verdict.verified.number,
        "head": chain.head.number,
        "ahead": verdict.ahead,
        "findings": findings,
        "more": verdict.more,
    }
    return not findings, document


async def _chains(pool: Pool, project: str | None) -> list[Chain]:
    """That of a project, or all. Raises LookupError."""
    async with pool.connection() as connection:
        chains = await outbox.chains(connection)
    if project and project not in chains:
        raise LookupError(f"there is no chain of project {project}")
    return [chains[project]] if project else list(chains.values())
