"""Stores of the journal: each one that a process of this machine is, and AWS's where credentials are given.

GPUAAS_TEST_AWS_JOURNAL is ``dynamodb://<region>/<table>``, and AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY may make that table.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gpuaas.journal.journal import Journal
from gpuaas.journal.store import Access, parse
from support.dynalite import Dynalite
from support.dynalite import dynalite as running_dynalite
from support.journal import KEY, url_of
from support.moto import moto as running_moto
from support.tls import Authority

AWS = os.environ.get("GPUAAS_TEST_AWS_JOURNAL", "")


@pytest.fixture(scope="session")
def running_dynalite_server(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dynalite]:
    directory = tmp_path_factory.mktemp("dynalite")
    with running_dynalite(directory, authority.issue("dynalite", directory / "certificate")) as server:
        yield server


@pytest.fixture
def dynalite(authority: Authority, tmp_path: Path) -> Iterator[Dynalite]:
    """One of this test's own, that it may end."""
    with running_dynalite(tmp_path, authority.issue("dynalite", tmp_path / "dynalite-certificate")) as server:
        yield server


@pytest.fixture(scope="session")
def moto(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_moto(authority.issue("moto", tmp_path_factory.mktemp("moto") / "certificate")) as url:
        yield url


@pytest.fixture(scope="session")
def access(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Access:
    """What the worker shows."""
    certificate = authority.issue("journal", tmp_path_factory.mktemp("journal") / "certificate")
    key = (os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]) if AWS else KEY
    return Access(key, certificate, authority.ca_file)


@pytest.fixture(params=["dynalite", "moto", "sqlite", *(["aws"] if AWS else [])])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store in which there is nothing yet, not even a table; that of AWS is kept."""
    table = f"journal-{uuid.uuid4().hex[:12]}"
    match request.param:
        case "dynalite":
            return url_of(request.getfixturevalue("running_dynalite_server").url, table)
        case "moto":
            return url_of(request.getfixturevalue("moto"), table)
        case "aws":
            return AWS
        case _:
            return f"sqlite://{tmp_path / 'journal.sqlite'}"


@pytest.fixture
def open_journal(access: Access) -> Iterator[Callable[[str], Journal]]:
    """The store of a URL."""
    opened: list[Journal] = []

    def store(url: str) -> Journal:
        opened.append(parse(url).journal(access))
        return opened[-1]

    yield store
    for its in opened:
        its.close()


@pytest.fixture
def journal(open_journal: Callable[[str], Journal], url: str) -> Journal:
    """One with a table."""
    store = open_journal(url)
    store.prepare()
    return store
