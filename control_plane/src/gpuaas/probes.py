"""Liveness and readiness, on a port of their own that the ingress does not lead to.

Live: the event loop turns. Ready: the process can do its work. What is asked for
readiness is remembered for a moment, so that no number of askings costs a
dependency more than one.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from gpuaas.secrets import Used

REMEMBERED_SECONDS = 1.0
CHECK_SECONDS = 3.0
_log = logging.getLogger(__name__)

type Check = Callable[[], Awaitable[str | None]]


class Readiness:
    """The faults of several dependencies, by name; each check answers with its fault or None."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = asyncio.Lock()
        self._until = float("-inf")
        self._missing: dict[str, str] = {}

    async def missing(self, checks: dict[str, Check]) -> dict[str, str]:
        """What is missing, as of the last second. Whoever asks meanwhile waits for the same answer."""
        async with self._lock:
            if self._clock() >= self._until:
                faults = await asyncio.gather(*(_within(check()) for check in checks.values()))
                self._missing = {name: fault for name, fault in zip(checks, faults, strict=True) if fault}
                self._until = self._clock() + REMEMBERED_SECONDS
                if self._missing:
                    _log.warning("not ready", extra={"fields": {"missing": self._missing}})
            return self._missing


def create_app(checks: Callable[[], dict[str, Check]], used: Used | None = None) -> ASGIApp:
    """``/healthz/live`` and ``/healthz/ready``; ``checks`` are asked for when they are needed.

    With ``used`` also ``/healthz/secrets``: who gave the process its secrets, where it says so nowhere else.
    """
    readiness = Readiness()

    async def live(_request: Request) -> JSONResponse:
        return JSONResponse({"status": "live"})

    async def ready(_request: Request) -> JSONResponse:
        missing = await readiness.missing(checks())
        return JSONResponse(
            {"status": "not ready", "missing": missing} if missing else {"status": "ready"}, 503 if missing else 200
        )

    async def secrets(_request: Request) -> JSONResponse:
        return JSONResponse(asdict(used) if used else {}, 200 if used else 404)

    routes = {"live": live, "ready": ready, "secrets": secrets}
    return Starlette(routes=[Route(f"/healthz/{name}", answer) for name, answer in routes.items()])


def answering(fault: Callable[[], str | None]) -> Check:
    """A check of what is known already."""

    async def check() -> str | None:
        return fault()

    return check


async def _within(check: Awaitable[str | None]) -> str | None:
    try:
        return await asyncio.wait_for(check, CHECK_SECONDS)
    except TimeoutError:
        return "no answer in time"
