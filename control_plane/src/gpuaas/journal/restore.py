"""Writes lost entries again, as they were: from the outbox, which has the newest ones for eight days.

What it does not have is lost. Where that is so, the database is told from where on a reader can verify, so that the chain
goes on after the hole and nobody takes it for whole. What is there is not touched.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from psycopg import AsyncConnection
from psycopg.rows import DictRow

from gpuaas.journal import outbox
from gpuaas.journal.chain import Entry, Pin, digest
from gpuaas.journal.journal import Journal
from gpuaas.journal.outbox import Chain


@dataclass(frozen=True, slots=True)
class Restored:
    """How many entries were written again, and the first and last that are lost for good."""

    restored: int
    lost: tuple[int, int] | None


async def restored(connection: AsyncConnection[DictRow], journal: Journal, chain: Chain) -> Restored:
    """Do it, and note what is lost. Raises psycopg.Error and JournalError."""
    kept = [
        Entry(record, number, previous, digest(record, number, previous))
        for record, number, previous in await outbox.kept(connection, chain.project)
        if number > chain.start.number
    ]
    written, hole = await asyncio.to_thread(_write, journal, chain, kept)
    if hole is None:
        return Restored(written, None)
    await outbox.start_after(connection, chain.project, hole)
    return Restored(written, (chain.start.number + 1, hole.number))


def _write(journal: Journal, chain: Chain, kept: list[Entry]) -> tuple[int, Pin | None]:
    """How many were written, and the last entry that is nowhere: its digest is what the next one, or the head, has of it."""
    written = sum(journal.append(entry) for entry in kept)
    expected, hole = chain.start.number + 1, None
    while entries := journal.page(chain.project, expected - 1):
        for entry in entries:
            if entry.number > expected:
                hole = Pin(entry.number - 1, entry.previous)
            expected = entry.number + 1
    if expected <= chain.head.number:
        hole = chain.head
    return written, hole
