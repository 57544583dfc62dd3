"""Live: the process answers. Ready: it can do its work. The identity provider is not part of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse
from psycopg import Error
from psycopg.errors import UndefinedTable
from redis.exceptions import RedisError

from gpuaas import migrate
from gpuaas.api.resources import Resources, resources

CHECK_SECONDS = 3.0
_log = logging.getLogger(__name__)
# The number is part of the build: counted once, at import.
EXPECTED_VERSION = migrate.expected_version()

router = APIRouter(prefix="/healthz", include_in_schema=False)


@router.get("/live")
async def live() -> JSONResponse:
    """The event loop turns."""
    return JSONResponse({"status": "live"})


@router.get("/ready")
async def ready(its: Annotated[Resources, Depends(resources)]) -> JSONResponse:
    """200, or 503 with what is missing."""
    database, redis = await asyncio.gather(_within(_database(its)), _within(_redis(its)))
    missing = {name: fault for name, fault in (("database", database), ("redis", redis)) if fault}
    if missing:
        _log.warning("not ready", extra={"fields": {"missing": missing}})
        return JSONResponse({"status": "not ready", "missing": missing}, 503)
    return JSONResponse({"status": "ready"})


async def _within(check: Awaitable[str | None]) -> str | None:
    try:
        return await asyncio.wait_for(check, CHECK_SECONDS)
    except TimeoutError:
        return "no answer in time"


async def _database(its: Resources) -> str | None:
    try:
        async with its.pool.connection() as connection:
            cursor = await connection.execute("SELECT coalesce(max(version), 0) AS version FROM schema_version")
            row = await cursor.fetchone()
    except UndefinedTable:
        return f"schema is at version 0, this build needs {EXPECTED_VERSION}"
    except Error as error:
        return f"not reachable ({type(error).__name__})"
    version = row["version"] if row else 0
    # A newer schema is fine: migrations only add, and during a roll-out the old pods see it first.
    return (
        None if version >= EXPECTED_VERSION else f"schema is at version {version}, this build needs {EXPECTED_VERSION}"
    )


async def _redis(its: Resources) -> str | None:
    try:
        await its.redis.ping()
    except RedisError as error:
        return f"not reachable ({type(error).__name__})"
    return None
