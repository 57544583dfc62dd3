"""The worker as a process, and the commands that look at a journal and mend it."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from gpuaas import database as databases
from gpuaas.cli import main
from gpuaas.encryption.refusal import Reason as Refusal
from gpuaas.encryption.refusal import RefusedError
from gpuaas.encryption.security import SecurityMode
from gpuaas.journal import outbox
from gpuaas.journal.chain import Entry
from gpuaas.journal.commands import LATE_SECONDS
from gpuaas.journal.dynamodb import DynamoDBJournal
from gpuaas.journal.feeder import Feeder
from gpuaas.journal.journal import PAGE, Journal
from gpuaas.journal.process import BEHIND_SECONDS, create_worker, described, open_journal
from gpuaas.journal.reasons import JournalError, Reason
from gpuaas.journal.store import Access
from gpuaas.journal.watch import Watch
from gpuaas.reporting import reporter
from gpuaas.reporting.documents import JOURNAL, WORKER
from gpuaas.settings import (
    ConfigurationError,
    JournalSecrets,
    JournalSettings,
    MigrateSecrets,
    read_secrets,
    read_settings,
)
from support.dynalite import Dynalite
from support.journal import KEY, entries, head, url_of, waiting
from support.ports import free_port
from support.processes import Server, wait_for
from test_relay import instance, write

SOURCE = Path(__file__).parents[2] / "src"


@pytest.fixture
def journalling(
    environment: dict[str, str], database: psycopg.Connection, dynalite: Dynalite, access: Access, tmp_path: Path
) -> dict[str, str]:
    """The environment of a worker whose database and store are there."""
    for name, value in zip(("journal_access_key_id", "journal_secret_access_key"), KEY, strict=True):
        (tmp_path / "secrets" / name).write_text(f"{value}\n")
    return {
        **environment,
        "GPUAAS_DATABASE_USER": "gpuaas_journal",
        "GPUAAS_SECURITY_MODE": "LOCAL",
        "GPUAAS_JOURNAL_STORE": url_of(dynalite.url, "journal"),
        "GPUAAS_JOURNAL_CERTIFICATE": str(access.certificate),
    }


@pytest.fixture
def settings(journalling: dict[str, str]) -> JournalSettings:
    return read_settings(JournalSettings, journalling)


@pytest.fixture
def secrets(settings: JournalSettings) -> JournalSecrets:
    return read_secrets(JournalSecrets, settings.secrets_source.provider(settings.ca_file))


@pytest.fixture
def store(journalling: dict[str, str], open_journal: Callable[[str], Journal]) -> Journal:
    """The same store, over a connection of the test's own."""
    return open_journal(journalling["GPUAAS_JOURNAL_STORE"])


@pytest.fixture
def feed(settings: JournalSettings, postgres: Server, store: Journal) -> Callable[[], int]:
    """A round of a worker."""

    async def once() -> int:
        async with databases.create_pool(settings, postgres.password, size=2) as pool:
            return await Feeder(pool, store).once()

    return lambda: asyncio.run(once())


@pytest.fixture
def command(
    journalling: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, list[dict[str, Any]]]]:
    """Run ``gpuaas journal`` to its end: its exit status, and what it said."""

    def run(*arguments: str) -> tuple[int, list[dict[str, Any]]]:
        with monkeypatch.context() as patched:
            for name, value in journalling.items():
                patched.setenv(name, value)
            status = main(["journal", *arguments])
        return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


def damaged(database: psycopg.Connection, statement: str) -> None:
    database.execute(statement)


def test_status_shows_that_entries_are_taken_once(
    command: Callable[..., tuple[int, list[dict[str, Any]]]], database: psycopg.Connection, feed: Callable[[], int]
) -> None:
    good = {"waiting": 0, "oldest_seconds": 0.0, "refuses_a_second_entry": True, "newest_entry_differs": []}
    assert command("--status") == (0, [good])
    write(database, instance(database))
    assert feed() == 1
    assert command("--status") == (0, [good])


def test_status_shows_what_waits_for_too_long(
    command: Callable[..., tuple[int, list[dict[str, Any]]]], database: psycopg.Connection
) -> None:
    write(database, instance(database))
    database.execute("UPDATE outbox SET created_at = now() - make_interval(secs => %s)", [LATE_SECONDS + 5])
    status, [said] = command("--status")
    assert (status, said["waiting"]) == (1, 1)
    assert said["oldest_seconds"] > LATE_SECONDS


def test_status_of_a_store_that_is_away_names_it(
    command: Callable[..., tuple[int, list[dict[str, Any]]]], dynalite: Dynalite
) -> None:
    dynalite.kill()
    status, [said] = command("--status")
    assert status == 1
    assert said["error"].startswith("journal_unreachable: ")
    assert said["do"]


def test_a_chain_is_verified_up_to_the_head_that_the_database_knows(
    command: Callable[..., tuple[int, list[dict[str, Any]]]],
    database: psycopg.Connection,
    feed: Callable[[], int],
    dynalite: Dynalite,
) -> None:
    one = instance(database)
    for _event in range(3):
        write(database, one)
    assert feed() == 3
    whole = {"project": "atlas", "from": 1, "verified": 3, "head": 3, "ahead": 0, "findings": [], "more": 0}
    assert command("--verify") == command("--verify", "--project", "atlas") == (0, [whole])
    assert command("--verify", "--project", "borealis") == (1, [{"error": "there is no chain of project borealis"}])
    dynalite.empty()
    status, [said] = command("--verify")
    assert (status, said["error"][:21]) == (1, "journal_table_missing")


def lose(dynalite: Dynalite, store: Journal, keep: int) -> None:
    """Have the store lose all but the oldest entries, as one does that is set back."""
    kept = entries(store)[:keep]
    dynalite.empty()
    store.prepare()
    for entry in kept:
        assert store.append(entry)


@pytest.mark.parametrize("kept", [0, 2])
def test_newest_entries_that_are_lost_are_told_and_restored(
    command: Callable[..., tuple[int, list[dict[str, Any]]]],
    database: psycopg.Connection,
    feed: Callable[[], int],
    dynalite: Dynalite,
    store: Journal,
    kept: int,
) -> None:
    one = instance(database)
    for _event in range(4):
        write(database, one)
    assert feed() == 4
    before = entries(store)
    lose(dynalite, store, kept)
    status, [said] = command("--verify", "--project", "atlas")
    assert (status, said["verified"]) == (1, kept)
    assert [(its["reason"], its["first"], its["last"]) for its in said["findings"]] == [("journal_lost", kept + 1, 4)]
    assert command("--status")[1][0]["newest_entry_differs"] == ["atlas"]
    write(database, one)
    assert feed() == 0
    assert command("--restore", "--project", "atlas") == (0, [{"project": "atlas", "restored": 4 - kept, "lost": None}])
    assert entries(store) == before
    assert feed() == 1
    assert command("--verify")[0] == 0
    assert command("--restore", "--project", "atlas") == (0, [{"project": "atlas", "restored": 0, "lost": None}])


@pytest.mark.parametrize(
    ("expired", "lost"),
    [
        # The outbox lacks the oldest ones, one in the middle, or has none of them any more.
        ("journal_number <= 2", (1, 2)),
        ("journal_number = 3", (1, 3)),
        ("true", (1, 4)),
    ],
)
def test_what_the_outbox_has_no_more_is_lost_and_the_chain_goes_on(
    command: Callable[..., tuple[int, list[dict[str, Any]]]],
    database: psycopg.Connection,
    feed: Callable[[], int],
    dynalite: Dynalite,
    store: Journal,
    expired: str,
    lost: tuple[int, int],
) -> None:
    one = instance(database)
    for _event in range(4):
        write(database, one)
    assert feed() == 4
    before = entries(store)
    lose(dynalite, store, 0)
    database.execute(f"DELETE FROM outbox WHERE {expired}")
    left = {number for (number,) in database.execute("SELECT journal_number FROM outbox")}
    assert command("--restore", "--project", "atlas") == (
        0,
        [{"project": "atlas", "restored": len(left), "lost": list(lost)}],
    )
    assert entries(store) == [entry for entry in before if entry.number in left]
    write(database, one)
    assert feed() == 1
    status, [said] = command("--verify", "--project", "atlas")
    assert status == 0, said
    assert (said["from"], said["verified"], said["head"]) == (lost[1] + 1, 5, 5)


def test_what_is_no_entry_is_told_and_hides_no_other_chain(
    command: Callable[..., tuple[int, list[dict[str, Any]]]],
    database: psycopg.Connection,
    feed: Callable[[], int],
    settings: JournalSettings,
    postgres: Server,
    store: Journal,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for _project in range(2):
        write(database, instance(database))
    database.execute("UPDATE instances SET project = 'borealis' WHERE id = (SELECT max(id::text)::uuid FROM instances)")
    assert feed() == 2
    read = DynamoDBJournal.page

    def damaged(self: Journal, project: str, after: int, limit: int = PAGE) -> list[Entry]:
        if project == "atlas":
            raise JournalError(Reason.CHANGED, "the item at atlas, 1 is no entry")
        return read(self, project, after, limit)  # type: ignore[arg-type]

    monkeypatch.setattr(DynamoDBJournal, "page", damaged)
    status, [atlas, borealis] = command("--verify")
    assert (status, borealis["verified"], borealis["findings"]) == (1, 1, [])
    assert [(its["reason"], its["seen"]) for its in atlas["findings"]] == [
        ("journal_changed", "the item at atlas, 1 is no entry")
    ]

    async def watched() -> Watch:
        async with databases.create_pool(settings, postgres.password, size=2) as pool:
            watch = Watch(pool, store)
            await watch.once()
            return watch

    watch = asyncio.run(watched())
    assert watch.fault() == "journal_changed: the item at atlas, 1 is no entry"
    assert watch.chains["borealis"].verdict is not None


def test_the_worker_reports_and_is_ready_by_what_it_did(
    settings: JournalSettings,
    secrets: JournalSecrets,
    database: psycopg.Connection,
    dynalite: Dynalite,
    store: Journal,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from gpuaas.journal import process, watch

    monkeypatch.setattr(reporter, "EVERY_SECONDS", 0.05)
    monkeypatch.setattr(watch, "EVERY_SECONDS", 0.05)
    monkeypatch.setattr(process, "BEHIND_SECONDS", 0.2)
    one = instance(database)
    write(database, one)

    def said(about: str) -> dict[str, Any]:
        row = database.execute(
            "SELECT content FROM reports WHERE (role, about) = ('gpuaas_journal', %s)", [about]
        ).fetchone()
        return dict(row[0]) if row else {}

    def whole() -> bool:
        return said(JOURNAL).get("chains") == [
            {"project": "atlas", "start": 0, "number": 1, "verified": 1, "faults": []}
        ]

    async def run() -> None:
        worker = create_worker(settings, secrets)
        task = asyncio.ensure_future(worker.work())
        try:
            await until(whole)
            assert (said(JOURNAL)["behind_since"], said(JOURNAL)["reason"]) == (None, "")
            await until(lambda: said(WORKER)["missing"] == {})
            assert said(WORKER)["done"][0]["count"] == 1
            dynalite.kill()
            write(database, one)
            await until(lambda: said(JOURNAL)["behind_since"] is not None)
            [happened] = database.execute("SELECT max(created_at) FROM outbox").fetchone() or [None]
            assert happened is not None
            assert said(JOURNAL)["behind_since"] == happened.isoformat()
            assert said(JOURNAL)["waiting"] == 1
            await until(lambda: said(JOURNAL)["reason"].startswith("journal_unreachable: "))
            await until(lambda: "journal" in said(WORKER)["missing"])
            dynalite.start()
            await until(lambda: said(JOURNAL)["behind_since"] is None and said(JOURNAL)["chains"][0]["verified"] == 2)
            # Its volume is emptied while the worker has nothing to write.
            lose(dynalite, store, 0)
            await until(lambda: "chains" in said(WORKER)["missing"])
            assert said(WORKER)["missing"]["chains"].startswith("journal_lost: ")
            await until(lambda: bool(said(JOURNAL)["chains"][0]["faults"]))
            assert not task.done()
        finally:
            task.cancel()
            await asyncio.wait([task])

    asyncio.run(run())


def test_a_worker_ends_when_it_is_told_to(journalling: dict[str, str], database: psycopg.Connection) -> None:
    write(database, instance(database))
    environ = {"PYTHONPATH": str(SOURCE), **journalling, "GPUAAS_PROBE_PORT": str(free_port())}
    with subprocess.Popen(
        [sys.executable, "-m", "gpuaas", "journal"],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        ready = f"http://127.0.0.1:{environ['GPUAAS_PROBE_PORT']}/healthz/ready"
        try:
            wait_for(lambda: _answers(ready) == 200, "the worker", 30)
            wait_for(lambda: waiting(database) == 0, "the event's entry", 10)
        finally:
            process.send_signal(signal.SIGTERM)
            said, _none = process.communicate(timeout=20)
    assert process.returncode == 0, said
    assert "no-secret" not in said
    assert '"journalled"' in said


def _answers(url: str) -> int:
    try:
        return httpx.get(url, trust_env=False, timeout=5).status_code
    except httpx.HTTPError:
        return 0


@pytest.mark.parametrize("mode", list(SecurityMode))
def test_a_file_is_a_journal_in_security_mode_local_alone(
    journalling: dict[str, str], tmp_path: Path, mode: SecurityMode
) -> None:
    changes = {"GPUAAS_SECURITY_MODE": mode.value, "GPUAAS_JOURNAL_STORE": f"sqlite://{tmp_path / 'journal.sqlite'}"}
    settings = read_settings(JournalSettings, {**journalling, **changes})
    secrets = MigrateSecrets(database_password="unused")
    if mode is SecurityMode.LOCAL:
        open_journal(settings, secrets).prepare()
        assert (tmp_path / "journal.sqlite").exists()
    else:
        with pytest.raises(ConfigurationError, match=f"journal_file_not_local: .* is {mode}: name a table of DynamoDB"):
            open_journal(settings, secrets)


def test_a_file_needs_no_key(
    journalling: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: psycopg.Connection
) -> None:
    for name in ("journal_access_key_id", "journal_secret_access_key"):
        (tmp_path / "secrets" / name).unlink()
    for name, value in journalling.items():
        monkeypatch.setenv(name, value)
    assert main(["journal", "--status"]) == 78
    monkeypatch.setenv("GPUAAS_JOURNAL_STORE", f"sqlite://{tmp_path / 'journal.sqlite'}")
    assert main(["journal", "--status"]) == 0


def test_a_store_that_is_not_known_is_named_without_its_value(journalling: dict[str, str]) -> None:
    value = "http://dynalite/journal"
    with pytest.raises(ConfigurationError, match=r"^GPUAAS_JOURNAL_STORE is not ") as refused:
        read_settings(JournalSettings, {**journalling, "GPUAAS_JOURNAL_STORE": value})
    assert value not in str(refused.value)


def test_a_security_mode_that_is_not_known_is_refused_as_by_every_process(journalling: dict[str, str]) -> None:
    with pytest.raises(RefusedError) as refused:
        read_settings(JournalSettings, {**journalling, "GPUAAS_SECURITY_MODE": "local"})
    assert refused.value.reason is Refusal.SECURITY_MODE_UNKNOWN


def test_a_certificate_that_cannot_be_read_is_named(settings: JournalSettings, secrets: JournalSecrets) -> None:
    import dataclasses

    with pytest.raises(ConfigurationError, match="GPUAAS_JOURNAL_CERTIFICATE"):
        open_journal(dataclasses.replace(settings, journal_certificate=Path("/not-there")), secrets)


def test_what_waits_at_most_for_its_turn_is_not_behind(
    settings: JournalSettings, postgres: Server, store: Journal
) -> None:
    pool = databases.create_pool(settings, postgres.password, size=1)
    feeder, watch = Feeder(pool, store), Watch(pool, store)
    then = datetime(2026, 11, 30, 10, tzinfo=UTC)
    feeder.rounds.good()
    assert described(outbox.Lag(3, then, BEHIND_SECONDS - 1), feeder, watch).behind_since is None
    assert described(outbox.Lag(3, then, BEHIND_SECONDS + 1), feeder, watch).behind_since == then
    feeder.rounds.failed("journal_unreachable: put_item")
    assert described(outbox.Lag(3, then, 0.1), feeder, watch).behind_since == then
    assert described(outbox.Lag(0, None, 0.0), feeder, watch).behind_since is None


def test_a_reset_begins_with_what_the_database_has(
    command: Callable[..., tuple[int, list[dict[str, Any]]]],
    database: psycopg.Connection,
    feed: Callable[[], int],
    dynalite: Dynalite,
    store: Journal,
) -> None:
    """The database is set back first, and the worker may find its entries before the store is emptied."""
    one = instance(database)
    for _event in range(3):
        write(database, one)
    assert feed() == 3
    first = entries(store)[:1]
    set_back = (
        "DELETE FROM outbox WHERE journal_number > 1",
        "UPDATE outbox SET journal_number = NULL, journal_previous = NULL",
        "DELETE FROM journal_heads",
    )
    for statement in set_back:
        database.execute(statement)
    # Of three entries that it finds the first is of the event that waits; the next is of none.
    assert feed() == 0
    assert (waiting(database), head(database)) == (0, first[0].pin)
    dynalite.forget()
    assert command("--restore") == (0, [{"project": "atlas", "restored": 1, "lost": None}])
    assert entries(store) == first
    write(database, one)
    assert feed() == 1
    assert command("--status")[0] == command("--verify")[0] == 0


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.02)
