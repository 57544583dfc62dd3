"""Writes every event of the outbox into the chain of its project, exactly once.

No lock is held while the store is asked. That there is one entry of a number is the store's doing: of two workers one is told
that the other was first. The note in the database comes after, and only where the head is still the one that the entries
follow. Who finds an entry after the head that the database does not know of, finds one that a worker wrote and did not come
to note, another one or itself before it was killed: it is the entry of an event that waits, and is noted as that.

Before something is added, the newest entry must be there, and be the one that the database knows: nothing is built on a hole.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Iterable
from itertools import groupby

import psycopg

from gpuaas.database import Pool
from gpuaas.journal import outbox
from gpuaas.journal.chain import GENESIS, Entry, Pin, Record, following
from gpuaas.journal.journal import Journal
from gpuaas.journal.outbox import Chain
from gpuaas.journal.reasons import AWAY, JournalError, Reason
from gpuaas.reporting import rounds
from gpuaas.reporting.rounds import Rounds
from gpuaas.reporting.tally import Tally

BATCH = 100
# How long a new event may wait for the worker to look. Nobody waits for its entry.
IDLE_SECONDS = 1.0
RETRY_SECONDS = 1.0
# A chain that is not what it was is looked at again after this.
LOOK_SECONDS = 15.0
# A worker whose last good round is older than this does not do its work.
STALE_SECONDS = 30.0
_log = logging.getLogger(__name__)


class Feeder:
    """Rounds of look, write, note."""

    def __init__(self, pool: Pool, journal: Journal, clock: Callable[[], float] = time.monotonic) -> None:
        self._pool = pool
        self._journal = journal
        self._clock = clock
        self.written = Tally("events journalled")
        self._last_look = clock()
        self.rounds = Rounds(_log, "journal waits", STALE_SECONDS, clock)
        self.stopped: dict[str, JournalError] = {}

    async def run(self) -> None:
        """Write for as long as the process lives; a fault of a dependency is waited out."""
        while True:
            try:
                taken = await self.once()
            except (psycopg.Error, JournalError) as error:
                self.rounds.failed(said(error))
                await asyncio.sleep(RETRY_SECONDS)
                continue
            self.rounds.good()
            if taken == 0:
                await asyncio.sleep(IDLE_SECONDS)

    async def once(self) -> int:
        """One round; returns how many events it noted.

        A project whose chain is not what it was stops by itself. Raises psycopg.Error, and JournalError where the store does
        not do what it is asked: after what was written is noted.
        """
        # Now and then also those that stopped: they go on where nothing is wrong any more, such as after a restore.
        again = self._clock() - self._last_look > LOOK_SECONDS
        if again:
            self._last_look = self._clock()
        async with self._pool.connection() as connection:
            # The heads first: an event that is noted in between does not wait any more. The other way round it would be
            # written once more, after the head that it moved.
            chains = await outbox.chains(connection)
            records = await outbox.waiting(connection, BATCH, [] if again else self.stopped)
            projects = {record.project for record in records}
            if again and len(records) < BATCH:
                # These are all that wait: of the others nothing does, as where the database was set back.
                self.stopped = {project: error for project, error in self.stopped.items() if project in projects}
            if not records:
                return 0
            fresh = projects - chains.keys()
            await outbox.begin(connection, fresh)
            chains |= {project: Chain(project, GENESIS, GENESIS) for project in fresh}
        if all(chain.head.number == 0 for chain in chains.values()):
            await asyncio.to_thread(self._journal.prepare)
        of_project = {project: list(its) for project, its in groupby(sorted(records, key=_project), _project)}
        told = await asyncio.gather(
            *(self._extend(chains[project], its) for project, its in of_project.items()), return_exceptions=True
        )
        faults = [answer for answer in told if isinstance(answer, BaseException)]
        for project, answer in zip(of_project, told, strict=True):
            if isinstance(answer, JournalError) and answer.reason not in AWAY:
                _log.error("a chain is stopped", extra={"fields": {"project": project, "cause": str(answer)}})
                self.stopped[project] = answer
                faults.remove(answer)
            elif not isinstance(answer, BaseException):
                self.stopped.pop(project, None)
        if faults:
            raise faults[0]
        return sum(answer for answer in told if isinstance(answer, int))

    def fault(self) -> str | None:
        """What keeps it from its work, or None: by its last good round, and by chains that are not what they were."""
        return self.rounds.fault() or "; ".join(str(error) for error in self.stopped.values()) or None

    async def _extend(self, chain: Chain, records: Iterable[Record]) -> int:
        """Write a project's events after its head; returns how many were noted."""
        pending = {record.event_id: record for record in records}
        written: list[Entry] = []
        fault: JournalError | None = None
        try:
            for entry in await asyncio.to_thread(self._after, chain):
                found = await self._its(entry, written[-1].pin if written else chain.head, pending)
                if found is None:
                    return 0  # somebody noted it meanwhile
                written.append(found)
                pending.pop(found.record.event_id, None)
            await asyncio.to_thread(self._write, chain, list(pending.values()), written)
        except JournalError as error:
            fault = error
        noted = await self._note(chain, written) if written else 0
        if fault:
            raise fault
        return noted

    def _after(self, chain: Chain) -> list[Entry]:
        """Entries after the head, which nobody noted yet. Raises JournalError where the head is not there."""
        head = chain.head
        if head == chain.start:
            # There is none yet, or what there was is lost, and that is known.
            return self._journal.page(chain.project, head.number)
        entries = self._journal.page(chain.project, head.number - 1)
        newest = f"entry {head.number} of project {chain.project}"
        if not entries or entries[0].number != head.number:
            raise JournalError(Reason.LOST, f"{newest} is not there, and it is the newest")
        if entries[0].digest != head.digest:
            raise JournalError(Reason.REWRITTEN, f"{newest} is not the one that was written")
        return entries[1:]

    async def _its(self, entry: Entry, before: Pin, pending: dict[uuid.UUID, Record]) -> Entry | None:
        """An entry that nobody noted is that of an event that waits; None: it was noted meanwhile."""
        event_id = entry.record.event_id
        if (record := pending.get(event_id)) is None:
            async with self._pool.connection() as connection:
                found = await outbox.known(connection, event_id)
            if found and found[1] == entry.number:
                return None
            record = found[0] if found and found[1] is None else None
        if record is None or following(before, record) != entry:
            seen = f"entry {entry.number} of project {entry.record.project}, of event {event_id}, is of no event that waits"
            raise JournalError(Reason.FOREIGN, seen)
        return entry

    def _write(self, chain: Chain, records: list[Record], written: list[Entry]) -> None:
        """Add to ``written`` as long as nobody else is first."""
        for record in records:
            entry = following(written[-1].pin if written else chain.head, record)
            if not self._journal.append(entry):
                return
            written.append(entry)

    async def _note(self, chain: Chain, entries: list[Entry]) -> int:
        async with self._pool.connection() as connection:
            if not await outbox.note(connection, chain.head, entries):
                return 0
        self.written.add(f"{chain.project} {entries[-1].number}", len(entries))
        _log.info("journalled", extra={"fields": {"project": chain.project, "entries": len(entries)}})
        return len(entries)


def said(error: psycopg.Error | JournalError) -> str:
    """An error in a line; one of the journal begins with its reason."""
    return str(error) if isinstance(error, JournalError) else rounds.said(error)


def _project(record: Record) -> str:
    return record.project
