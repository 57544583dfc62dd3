"""Answers that get lost on the way, after their effect: between the fleet's API and its edge."""

from __future__ import annotations

import asyncio
import re

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gpu_fleet import chance
from gpu_fleet.fleet import Fleet
from gpu_fleet.simulation import faults
from gpu_fleet.simulation.faults import Asked, How, ReplyLost

HANG_UP = "gpu_fleet.hang_up"  # an extension of the server's: closes the connection at once
_PATH = re.compile(r"/v1/reservations(?:/[^/]+(?:/(?P<operation>[a-z]+))?)?")


class Lossy:
    """An ASGI layer that asks after each answer whether it arrives."""

    def __init__(self, app: ASGIApp, fleet: Fleet, seed: str) -> None:
        self._app = app
        self._fleet = fleet
        self._seed = seed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = _asked(scope) if scope["type"] == "http" else None
        if asked is None:
            await self._app(scope, receive, send)
            return
        lost: ReplyLost | None = None

        async def sending(message: Message) -> None:
            nonlocal lost
            if message["type"] == "http.response.start" and message["status"] < 300:
                lost = await run_in_threadpool(self._lost, asked)
                if lost and lost.how is How.LATE:
                    await asyncio.sleep(lost.seconds)
                    lost = None
            if lost is None:
                await send(message)

        await self._app(scope, receive, sending)
        if lost:
            await _instead(lost.how, scope, send)

    def _lost(self, asked: Asked) -> ReplyLost | None:
        with self._fleet.looking() as (db, _now):
            for its in faults.every(db):
                fault = its.fault
                if not isinstance(fault, ReplyLost) or (fault.times is not None and its.hits >= fault.times):
                    continue
                if asked is not fault.operation and not (fault.operation is None and asked is not Asked.READ):
                    continue
                hit = chance.fraction(self._seed, its.id, its.asked) < fault.share
                faults.counted(db, its, hit)
                if hit:
                    return fault
        return None


def _asked(scope: Scope) -> Asked | None:
    match = _PATH.fullmatch(scope["path"])
    if scope["method"] == "GET":
        return Asked.READ
    if not match:
        return None
    name = match["operation"]
    if name == "workload":
        return Asked.REMOVE if scope["method"] == "DELETE" else Asked.DEPLOY
    if scope["method"] == "DELETE":
        return Asked.RELEASE
    return Asked(name) if name in Asked else (Asked.RESERVE if name is None else None)


async def _instead(how: How, scope: Scope, send: Send) -> None:
    if how is How.CLOSED:
        scope["extensions"][HANG_UP]()
        return
    status, body, kind = 200, b'{"id": ', b"application/json"
    if how is How.UNAVAILABLE:
        status, body, kind = 503, b"upstream connect error or disconnect/reset before headers", b"text/plain"
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
