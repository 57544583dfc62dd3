"""Liveness and readiness, on a port of their own. Live: the event loop turns. Ready: the store answers."""

from __future__ import annotations

import asyncio
import logging
import sqlite3

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from gpu_fleet.fleet import Fleet

CHECK_SECONDS = 3.0
_log = logging.getLogger(__name__)


def create(fleet: Fleet) -> ASGIApp:
    """``/healthz/live`` and ``/healthz/ready``."""
    asked = asyncio.Lock()

    async def live(_request: Request) -> JSONResponse:
        return JSONResponse({"status": "live"})

    async def ready(_request: Request) -> JSONResponse:
        try:
            async with asyncio.timeout(CHECK_SECONDS), asked:
                await run_in_threadpool(fleet.every)
        except (sqlite3.Error, TimeoutError) as error:
            missing = {"store": f"{type(error).__name__}: {error}"}
            _log.warning("not ready", extra={"fields": {"missing": missing}})
            return JSONResponse({"status": "not ready", "missing": missing}, 503)
        return JSONResponse({"status": "ready"})

    return Starlette(routes=[Route("/healthz/live", live), Route("/healthz/ready", ready)])
