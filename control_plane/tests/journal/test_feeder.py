"""The worker's rounds against a real Postgres and a real store: every event once, in order, whoever dies or comes between."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from gpuaas import database as databases
from gpuaas.journal import outbox
from gpuaas.journal.chain import GENESIS, Entry, following
from gpuaas.journal.feeder import Feeder
from gpuaas.journal.journal import PAGE, Journal
from gpuaas.journal.reasons import JournalError, Reason
from gpuaas.journal.verification import Verdict, Verification
from gpuaas.journal.watch import Watch
from gpuaas.settings import MigrateSettings, read_settings
from support.dynalite import Dynalite
from support.journal import entries, head, url_of, waiting
from support.processes import Server
from test_relay import write

TESTS = Path(__file__).parents[1]


def instance(database: psycopg.Connection, project: str = "atlas") -> uuid.UUID:
    identity = uuid.uuid4()
    database.execute(
        "INSERT INTO instances (id, project, name, gpu_type, gpu_count, state, created_by, created_at)"
        " VALUES (%s, %s, 'one', 'H100', 1, 'requested', 'alice', now())",
        [identity, project],
    )
    return identity


def heads(database: psycopg.Connection) -> dict[str, int]:
    return dict(database.execute("SELECT project, number FROM journal_heads").fetchall())


def verdict(journal: Journal, database: psycopg.Connection, project: str = "atlas") -> Verdict:
    reading = Verification(project, GENESIS)
    known = head(database, project)
    reading.read(entries(journal, project), known.number)
    return reading.end(known)


def is_whole(journal: Journal, database: psycopg.Connection, project: str = "atlas") -> bool:
    """Every event has the entry that the database says, and there is no other; the chain holds as far as its head."""
    said = database.execute(
        "SELECT o.event_id, o.journal_number FROM outbox AS o JOIN instances AS i ON i.id = o.instance_id"
        " WHERE i.project = %s ORDER BY o.journal_number",
        [project],
    ).fetchall()
    found = [(entry.record.event_id, entry.number) for entry in entries(journal, project)]
    its = verdict(journal, database, project)
    return found == said and its.findings == () and its.ahead == 0


@pytest.fixture
def settings(environment: dict[str, str], database: psycopg.Connection) -> MigrateSettings:
    return read_settings(MigrateSettings, {**environment, "GPUAAS_DATABASE_USER": "gpuaas_journal"})


@pytest.fixture
def feed(settings: MigrateSettings, postgres: Server, journal: Journal) -> Callable[..., list[int]]:
    """What rounds of a worker noted."""

    def rounds(count: int = 1, store: Journal | None = None) -> list[int]:
        async def run() -> list[int]:
            async with feeder_of(settings, postgres.password, store or journal) as its:
                return [await its.once() for _round in range(count)]

        return asyncio.run(run())

    return rounds


@pytest.fixture(params=["dynalite", "sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite://{tmp_path / 'journal.sqlite'}"
    return url_of(request.getfixturevalue("running_dynalite_server").url, f"journal-{uuid.uuid4().hex}")


@asynccontextmanager
async def feeder_of(settings: MigrateSettings, password: str, journal: Journal) -> AsyncIterator[Feeder]:
    async with databases.create_pool(settings, password, size=2) as pool:
        yield Feeder(pool, journal)


class Killed(BaseException):
    """Nobody is there any more to handle it."""


class Between:
    """A store that lets something happen, or fails, before or after it is asked to append."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.before: Callable[[Entry], None] = lambda _entry: None
        self.after: Callable[[Entry], None] = lambda _entry: None

    def append(self, entry: Entry) -> bool:
        self.before(entry)
        written = self._journal.append(entry)
        self.after(entry)
        return written

    def page(self, project: str, after: int, limit: int = PAGE) -> list[Entry]:
        return self._journal.page(project, after, limit)

    def head(self, project: str) -> Entry | None:
        return self._journal.head(project)

    def prepare(self) -> None:
        self._journal.prepare()

    def close(self) -> None:
        pass


def test_an_event_is_one_entry(journal: Journal, database: psycopg.Connection, feed: Callable[..., list[int]]) -> None:
    one = instance(database)
    write(database, one, actor="alice", gpus=4)
    assert feed(2) == [1, 0]
    [entry] = entries(journal)
    row = database.execute(
        "SELECT event_id, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') FROM outbox"
    )
    assert (entry.record.event_id, entry.record.time) == row.fetchone()
    assert entry.record.type == "instance.requested"
    assert entry.record.schema_version == 1
    assert json.loads(entry.record.payload) == {"actor": "alice", "gpus": 4}
    assert entry == following(GENESIS, entry.record)
    assert head(database) == entry.pin


def test_each_project_has_a_chain(
    journal: Journal, database: psycopg.Connection, feed: Callable[..., list[int]]
) -> None:
    ones = {project: instance(database, project) for project in ("atlas", "borealis")}
    for number in range(6):
        write(database, ones["atlas" if number % 3 else "borealis"], f"instance.e{number}")
    assert feed() == [6]
    assert heads(database) == {"atlas": 4, "borealis": 2}
    for project in ones:
        assert is_whole(journal, database, project)
    assert [entry.record.type for entry in entries(journal)] == [f"instance.e{number}" for number in (1, 2, 4, 5)]


def test_a_row_that_commits_late_is_not_passed_over(
    journal: Journal, database: psycopg.Connection, postgres: Server, feed: Callable[..., list[int]]
) -> None:
    early, late = instance(database), instance(database)
    with psycopg.connect(database.info.dsn, password=postgres.password) as other:
        first, second = write(other, late, "instance.late"), write(database, early, "instance.early")
        assert first < second
        assert feed() == [1]
    assert feed() == [1]
    assert [entry.record.type for entry in entries(journal)] == ["instance.early", "instance.late"]
    assert is_whole(journal, database)


@pytest.mark.parametrize("killed_at", [1, 2, 3])
def test_what_was_written_and_not_noted_is_recognised(
    journal: Journal, database: psycopg.Connection, feed: Callable[..., list[int]], killed_at: int
) -> None:
    one = instance(database)
    for number in range(3):
        write(database, one, f"instance.e{number}")

    def dies(entry: Entry) -> None:
        if entry.number == killed_at:
            raise Killed

    store = Between(journal)
    store.after = dies
    with pytest.raises(Killed):
        feed(store=store)
    assert (len(entries(journal)), waiting(database)) == (killed_at, 3)
    assert feed(2) == [3, 0]
    assert is_whole(journal, database)
    assert [entry.record.type for entry in entries(journal)] == ["instance.e0", "instance.e1", "instance.e2"]


def test_one_that_was_overtaken_by_a_late_row_is_recognised(
    journal: Journal, database: psycopg.Connection, postgres: Server, feed: Callable[..., list[int]]
) -> None:
    """What waits first is another event than the one that has an entry already."""
    early, late = instance(database), instance(database)

    def dies(_entry: Entry) -> None:
        raise Killed

    store = Between(journal)
    store.after = dies
    with psycopg.connect(database.info.dsn, password=postgres.password) as other:
        write(other, late, "instance.late")
        write(database, early, "instance.early")
        with pytest.raises(Killed):
            feed(store=store)
    assert feed() == [2]
    assert [entry.record.type for entry in entries(journal)] == ["instance.early", "instance.late"]
    assert is_whole(journal, database)


def test_a_worker_that_gets_sigkill_between_entry_and_note_writes_nothing_twice(
    journal: Journal,
    url: str,
    access: Any,
    database: psycopg.Connection,
    environment: dict[str, str],
    feed: Callable[..., list[int]],
) -> None:
    one = instance(database)
    for number in range(5):
        write(database, one, f"instance.e{number}")
    environ = {
        **os.environ,
        **environment,
        "GPUAAS_DATABASE_USER": "gpuaas_journal",
        "PYTHONPATH": os.pathsep.join([str(TESTS.parent / "src"), str(TESTS)]),
        "JOURNAL": json.dumps([url, str(access.certificate), str(access.ca_file), 3]),
    }
    killed = subprocess.run(
        [sys.executable, "-m", "journal.doomed"], env=environ, capture_output=True, timeout=60, check=False
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert (len(entries(journal)), waiting(database)) == (3, 5)
    assert feed(2) == [5, 0]
    assert is_whole(journal, database)


def test_workers_at_once_write_every_event_once(
    settings: MigrateSettings, postgres: Server, journal: Journal, database: psycopg.Connection
) -> None:
    ones = [instance(database, project) for project in ("atlas", "borealis") for _instance in range(3)]
    for number in range(60):
        write(database, ones[number % len(ones)], f"instance.e{number}")

    async def run() -> None:
        async with (
            feeder_of(settings, postgres.password, journal) as a,
            feeder_of(settings, postgres.password, journal) as b,
            feeder_of(settings, postgres.password, journal) as c,
        ):
            while waiting(database):
                await asyncio.gather(*(its.once() for its in (a, b, c)))

    asyncio.run(run())
    assert heads(database) == {"atlas": 30, "borealis": 30}
    for project in heads(database):
        assert is_whole(journal, database, project)
    in_order: dict[uuid.UUID, list[uuid.UUID]] = {its: [] for its in ones}
    for event_id, instance_id in database.execute("SELECT event_id, instance_id FROM outbox ORDER BY id"):
        in_order[instance_id].append(event_id)
    written = [entry.record.event_id for project in heads(database) for entry in entries(journal, project)]
    for its in in_order.values():
        assert [event_id for event_id in written if event_id in its] == its


def test_another_worker_that_is_first_is_given_way_to(
    journal: Journal, database: psycopg.Connection, feed: Callable[..., list[int]]
) -> None:
    one = instance(database)
    for number in range(3):
        write(database, one, f"instance.e{number}")
    store = Between(journal)

    def other_is_first(entry: Entry) -> None:
        if entry.number == 2:
            assert feed() == [3]

    store.before = other_is_first
    assert feed(2, store) == [0, 0]
    assert is_whole(journal, database)


def test_what_another_worker_notes_after_a_look_is_not_written_again(
    journal: Journal,
    database: psycopg.Connection,
    feed: Callable[..., list[int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write(database, instance(database))
    look = outbox.waiting
    others: list[list[int]] = []

    async def overtaken(*arguments: Any) -> Any:
        found = await look(*arguments)
        if not others:
            others.append([])
            others[0] = await asyncio.to_thread(feed)
        return found

    monkeypatch.setattr(outbox, "waiting", overtaken)
    assert feed() == [0]
    assert others == [[1]]
    assert is_whole(journal, database)


def test_without_a_store_nothing_is_lost_and_everything_catches_up(
    dynalite: Dynalite,
    open_journal: Callable[[str], Journal],
    database: psycopg.Connection,
    settings: MigrateSettings,
    postgres: Server,
) -> None:
    store = open_journal(url_of(dynalite.url, "journal"))
    one = instance(database)

    async def run() -> None:
        async with feeder_of(settings, postgres.password, store) as its:
            task = asyncio.create_task(its.run())
            write(database, one)
            await until(lambda: waiting(database) == 0)
            assert its.fault() is None
            dynalite.kill()
            for _event in range(250):
                write(database, one)
            await until(lambda: (its.fault() or "").startswith("journal_unreachable"))
            dynalite.start()
            await until(lambda: waiting(database) == 0 and its.fault() is None)
            task.cancel()

    asyncio.run(run())
    assert is_whole(store, database)
    assert heads(database) == {"atlas": 251}


def test_a_journal_that_lost_everything_is_told_and_not_built_on(
    dynalite: Dynalite,
    open_journal: Callable[[str], Journal],
    database: psycopg.Connection,
    settings: MigrateSettings,
    postgres: Server,
) -> None:
    store = open_journal(url_of(dynalite.url, "journal"))
    one = instance(database)
    write(database, one)

    async def run() -> None:
        async with databases.create_pool(settings, postgres.password, size=2) as pool:
            feeder, watch = Feeder(pool, store), Watch(pool, store)
            assert await feeder.once() == 1
            await watch.once()
            assert watch.fault() is None
            dynalite.empty()
            # The table is gone with it, and is not made again by itself.
            write(database, one)
            with pytest.raises(JournalError) as missing:
                await feeder.once()
            assert missing.value.reason == Reason.TABLE_MISSING
            store.prepare()
            assert await feeder.once() == 0
            assert (
                str(feeder.stopped["atlas"])
                == "journal_lost: entry 1 of project atlas is not there, and it is the newest"
            )
            await watch.once()
            await watch.once()
            assert (watch.fault() or "").startswith("journal_lost: entry 1 of project atlas is not there")

    asyncio.run(run())
    assert entries(store) == []
    assert waiting(database) == 1


def test_a_database_that_was_set_back_is_watched_from_the_start(
    journal: Journal, database: psycopg.Connection, settings: MigrateSettings, postgres: Server
) -> None:
    one = instance(database)
    write(database, one)

    async def run() -> None:
        async with databases.create_pool(settings, postgres.password, size=2) as pool:
            feeder, watch = Feeder(pool, journal), Watch(pool, journal)
            assert await feeder.once() == 1
            await watch.once()
            assert watch.chains["atlas"].number == 1
            database.execute("UPDATE journal_heads SET number = 0, digest = start_digest")
            await watch.once()
            assert (watch.chains["atlas"].number, watch.fault()) == (0, None)
            database.execute("DELETE FROM journal_heads")
            await watch.once()
            assert watch.chains == {}

    asyncio.run(run())


def test_a_chain_that_is_stopped_stops_no_other(
    journal: Journal, database: psycopg.Connection, settings: MigrateSettings, postgres: Server
) -> None:
    atlas, borealis = instance(database), instance(database, "borealis")
    write(database, atlas)
    write(database, borealis)
    now = [0.0]

    async def run() -> None:
        async with databases.create_pool(settings, postgres.password, size=2) as pool:
            its = Feeder(pool, journal, lambda: now[0])
            assert await its.once() == 2
            # What the database knows is another one than what the journal has.
            database.execute(
                "UPDATE journal_heads SET digest = decode(repeat('11', 32), 'hex') WHERE project = 'atlas'"
            )
            for _event in range(150):
                write(database, atlas)
            write(database, borealis)
            assert await its.once() == 0
            assert await its.once() == 1
            assert its.stopped["atlas"].reason == Reason.REWRITTEN
            database.execute("UPDATE journal_heads SET digest = %s WHERE project = 'atlas'", [first.digest])
            assert await its.once() == 0
            now[0] += 60
            assert await its.once() == 100
            assert its.stopped == {}
            database.execute(
                "UPDATE journal_heads SET digest = decode(repeat('11', 32), 'hex') WHERE project = 'atlas'"
            )
            assert await its.once() == 0
            assert its.fault() is not None
            # Of a chain of which nothing waits any more it knows nothing.
            database.execute("DELETE FROM outbox WHERE journal_number IS NULL")
            now[0] += 60
            assert await its.once() == 0
            assert its.stopped == {}

    [first] = [following(GENESIS, record) for record in _records(settings, postgres)[:1]]
    asyncio.run(run())


def test_an_entry_of_no_event_is_refused(
    journal: Journal, database: psycopg.Connection, settings: MigrateSettings, postgres: Server
) -> None:
    """As after the database was set back, or where somebody else writes."""
    one = instance(database)
    write(database, one)
    [record] = _records(settings, postgres)
    stranger = following(GENESIS, record)
    assert journal.append(following(GENESIS, _with_another_id(record)))
    assert not journal.append(stranger)

    async def run() -> None:
        async with feeder_of(settings, postgres.password, journal) as its:
            assert await its.once() == 0
            assert its.stopped["atlas"].reason == Reason.FOREIGN

    asyncio.run(run())
    assert waiting(database) == 1


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.02)


def _records(settings: MigrateSettings, postgres: Server) -> list[Any]:
    async def read() -> list[Any]:
        async with databases.create_pool(settings, postgres.password, size=1) as pool, pool.connection() as connection:
            return await outbox.waiting(connection, 10, [])

    return asyncio.run(read())


def _with_another_id(record: Any) -> Any:
    from dataclasses import replace

    return replace(record, event_id=uuid.uuid4())
