"""What the API cannot work without: its schema and Redis. The identity provider is not part of it."""

from __future__ import annotations

from psycopg import Error
from psycopg.errors import UndefinedTable

from gpuaas import migrate, redis_client
from gpuaas.api.resources import Resources
from gpuaas.probes import Check

# The number is part of the build: counted once, at import.
EXPECTED_VERSION = migrate.expected_version()


def checks(its: Resources) -> dict[str, Check]:
    """What readiness asks, by name."""

    async def database() -> str | None:
        try:
            async with its.probe_pool.connection() as connection:
                cursor = await connection.execute("SELECT coalesce(max(version), 0) AS version FROM schema_version")
                row = await cursor.fetchone()
        except UndefinedTable:
            return f"schema is at version 0, this build needs {EXPECTED_VERSION}"
        except Error as error:
            return f"not reachable ({type(error).__name__})"
        version = row["version"] if row else 0
        # A newer schema is fine: migrations only add, and during a roll-out the old pods see it first.
        if version >= EXPECTED_VERSION:
            return None
        return f"schema is at version {version}, this build needs {EXPECTED_VERSION}"

    return {"database": database, "redis": lambda: redis_client.fault(its.redis)}
