"""What a store of the journal does, whichever it is: one suite for dynalite, moto, SQLite, and AWS where it is given."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gpuaas.journal.chain import GENESIS, Entry
from gpuaas.journal.journal import Journal
from gpuaas.journal.reasons import JournalError, Reason
from gpuaas.journal.store import Access, parse
from gpuaas.journal.verification import Verification
from support.dynalite import Dynalite
from support.journal import chain, url_of
from support.ports import free_port
from support.tls import Authority

BYTES = bytes(range(256))


@pytest.fixture
def project() -> str:
    """One that nobody else writes to: a store may be kept."""
    return f"atlas-{uuid.uuid4()}"


def test_what_is_written_comes_back(journal: Journal, project: str) -> None:
    entries = chain(project, 3, BYTES)
    assert [journal.append(entry) for entry in entries] == [True, True, True]
    assert journal.page(project, 0) == entries
    assert journal.page(project, 1) == entries[1:]
    assert journal.page(project, 0, limit=2) == entries[:2]
    assert journal.page(project, 3) == []
    assert journal.head(project) == entries[-1]


def test_a_project_without_entries_has_none(journal: Journal, project: str) -> None:
    assert journal.page(project, 0) == []
    assert journal.head(project) is None


def test_what_is_there_is_not_written_over(journal: Journal, project: str) -> None:
    first, _second = chain(project, 2)
    assert journal.append(first)
    other = dataclasses.replace(first, record=dataclasses.replace(first.record, payload=b"{}"))
    assert not journal.append(other)
    assert not journal.append(first)
    assert journal.page(project, 0) == [first]


def test_projects_do_not_meet(journal: Journal, project: str) -> None:
    ours, theirs = chain(project, 2), chain(f"{project}x", 1)
    assert all(journal.append(entry) for entry in [*ours, *theirs])
    assert journal.page(project, 0) == ours
    assert journal.page(f"{project}x", 0) == theirs


def test_numbers_are_in_order_as_numbers(journal: Journal, project: str) -> None:
    entries = chain(project, 12)
    for entry in reversed(entries):
        assert journal.append(entry)
    assert [entry.number for entry in journal.page(project, 0)] == list(range(1, 13))
    assert journal.head(project) == entries[-1]


def test_of_many_writers_of_one_number_one_is_first(journal: Journal, project: str) -> None:
    rivals = [chain(project, 1)[0] for _writer in range(8)]
    with ThreadPoolExecutor(8) as writers:
        written = list(writers.map(journal.append, rivals))
    assert written.count(True) == 1
    assert journal.page(project, 0) == [rivals[written.index(True)]]


def test_pages_of_large_entries_come_to_the_end(journal: Journal, project: str) -> None:
    """An answer of DynamoDB has 1 MB at most."""
    entries = chain(project, 5, b"x" * 300_000)
    for entry in entries:
        assert journal.append(entry)
    read: list[Entry] = []
    while page := journal.page(project, len(read)):
        read += page
    assert read == entries


def test_text_of_any_language_comes_back(journal: Journal, project: str) -> None:
    [entry] = chain(f"{project}-日本-🚀-ü", 1, "ß\u0000🚀".encode())
    assert journal.append(entry)
    assert journal.head(entry.record.project) == entry


def test_a_store_without_a_table_says_so(open_journal: Callable[[str], Journal], url: str, project: str) -> None:
    if url.startswith("dynamodb://"):
        url = f"{url}-not-there"
    store = open_journal(url)
    for ask in (
        lambda: store.append(chain(project, 1)[0]),
        lambda: store.page(project, 0),
        lambda: store.head(project),
    ):
        with pytest.raises(JournalError) as refused:
            ask()
        assert refused.value.reason == Reason.TABLE_MISSING


def test_a_table_is_made_once(journal: Journal, project: str) -> None:
    [entry] = chain(project, 1)
    assert journal.append(entry)
    journal.prepare()
    assert journal.head(project) == entry


@pytest.mark.parametrize("lost", ["kill", "stop"])
def test_dynalite_keeps_what_it_acknowledged(
    dynalite: Dynalite, open_journal: Callable[[str], Journal], project: str, lost: str
) -> None:
    store = open_journal(url_of(dynalite.url, "journal"))
    store.prepare()
    entries = chain(project, 20)
    for entry in entries:
        assert store.append(entry)
    if lost == "kill":
        dynalite.kill()
    else:
        assert dynalite.stop() == 0
    with pytest.raises(JournalError) as away:
        store.head(project)
    assert away.value.reason == Reason.UNREACHABLE
    dynalite.start()
    assert store.page(project, 0) == entries
    reading = Verification(project, GENESIS)
    reading.read(store.page(project, 0), 20)
    assert reading.end(entries[-1].pin).findings == ()
    assert not store.append(dataclasses.replace(entries[0], digest=bytes(32)))


def test_dynalite_forgets_when_it_is_told_to(
    dynalite: Dynalite, open_journal: Callable[[str], Journal], project: str
) -> None:
    store = open_journal(url_of(dynalite.url, "journal"))
    store.prepare()
    assert store.append(chain(project, 1)[0])
    dynalite.forget()
    with pytest.raises(JournalError) as missing:
        store.head(project)
    assert missing.value.reason == Reason.TABLE_MISSING
    store.prepare()
    assert store.append(chain(project, 1)[0])
    dynalite.kill()
    dynalite.start()
    assert len(store.page(project, 0)) == 1


def test_dynalite_lets_nobody_in_without_the_right_certificate(
    running_dynalite_server: Dynalite, access: Access, authority: Authority, tmp_path: Path, project: str
) -> None:
    url = url_of(running_dynalite_server.url, "journal")
    stranger = dataclasses.replace(access, certificate=authority.issue("web", tmp_path / "web"))
    other_ca = Authority(_made(tmp_path / "other"))
    forged = dataclasses.replace(access, certificate=other_ca.issue("journal", tmp_path / "forged"))
    unverified = dataclasses.replace(access, ca_file=other_ca.ca_file)
    for shown in (stranger, forged, unverified):
        store = parse(url).journal(shown)
        with pytest.raises(JournalError) as refused:
            store.head(project)
        assert refused.value.reason == Reason.UNREACHABLE
        store.close()


def test_nobody_there_is_said_in_time(open_journal: Callable[[str], Journal], project: str) -> None:
    store = open_journal(url_of(f"https://127.0.0.1:{free_port()}", "journal"))
    with pytest.raises(JournalError) as away:
        store.head(project)
    assert away.value.reason == Reason.UNREACHABLE
    assert "journal" in away.value.seen


def test_a_file_is_its_owners_alone(open_journal: Callable[[str], Journal], tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    open_journal(f"sqlite://{path}").prepare()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_none_of_sqlite_is_refused(open_journal: Callable[[str], Journal], tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_bytes(b"no database" * 100)
    with pytest.raises(JournalError) as refused:
        open_journal(f"sqlite://{path}").head("atlas")
    assert refused.value.reason == Reason.REFUSED


@pytest.mark.parametrize(
    "url",
    [
        "",
        "journal",
        "https://dynalite:8000/eu-central-1/journal",
        "dynamodb+http://dynalite:8000/eu-central-1/journal",
        "dynamodb+https://dynalite:8000/journal",
        "dynamodb+https://dynalite:8000/eu-central-1/a/b",
        "dynamodb+https:///eu-central-1/journal",
        "dynamodb+https://dynalite:0/eu-central-1/journal",
        "dynamodb+https://key@dynalite:8000/eu-central-1/journal",
        "dynamodb+https://dynalite:8000/eu-central-1/journal?x=1",
        "dynamodb://eu-central-1",
        "dynamodb://eu central/journal",
        "dynamodb://eu-central-1/jo",
        "sqlite://journal.sqlite",
        "sqlite:journal.sqlite",
    ],
)
def test_a_url_of_another_form_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse(url)


def _made(directory: Path) -> Path:
    directory.mkdir()
    return directory
