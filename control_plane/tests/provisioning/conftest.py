"""A site for each test: an empty database, a fleet of its own, and one Temporal for all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import psycopg
import pytest

from gpuaas.settings import MigrateSecrets, MigrateSettings
from support.fleet import RunningFleet
from support.provisioning import Run, Site, site


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
