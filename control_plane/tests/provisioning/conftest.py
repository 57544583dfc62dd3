"""A site for each test: an empty database, a fleet of its own, and one Temporal for all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from gpuaas.settings import MigrateSecrets, MigrateSettings
from support.fleet import RunningFleet
from support.fleet import fleet as running_fleet
from support.provisioning import Run, Site, site
from support.tls import Authority


@pytest.fixture
def fleet(authority: Authority, tmp_path: Path) -> Iterator[RunningFleet]:
    directory = tmp_path / "fleet"
    directory.mkdir()
    with running_fleet(directory, authority.issue("127.0.0.1", tmp_path / "fleet-certificate")) as running:
        yield running


@pytest.fixture
def run(
    database: psycopg.Connection,
    migrate_settings: MigrateSettings,
    migrate_secrets: MigrateSecrets,
    fleet: RunningFleet,
    temporal: str,
) -> Run:
    """Run a test on a site."""

    async def on_site(test: Callable[[Site], Awaitable[None]]) -> None:
        async with site(migrate_settings, migrate_secrets.database_password, fleet, temporal) as its:
            await test(its)

    return lambda test: asyncio.run(on_site(test))
