"""``GET /v1/events``: what happens, as it happens, as server-sent events.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import psycopg
from fastapi import APIRouter, Depends, Header
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from gpuaas.api.caller import Caller, reader
from gpuaas.api.models import TimelineEntry
from gpuaas.api.problems import ProblemError
from gpuaas.api.resources import Resources
from gpuaas.api.routes import ANY_ERROR, Its, Project

MEDIA_TYPE = "text/event-stream"
# Below what proxies take for a dead connection.
HEARTBEAT_SECONDS = 15.0
RETRY_MILLISECONDS = 1000
# After which position it goes on: another one than was asked for when that one is gone.
BEGINS = "X-Begins-After"
_CURSOR = re.compile(r"[0-9]{1,18}")
_log = logging.getLogger(__name__)

router = APIRouter(prefix="/v1", responses=ANY_ERROR)


class _Stream(StreamingResponse):
    """Has a place among those who follow for as long as it is sent."""

    media_type = MEDIA_TYPE

    def __init__(self, its: Resources, caller: Caller, projects: tuple[str, ...], after: int) -> None:
        super().__init__(_sent(its, caller, projects, after), headers={"X-Accel-Buffering": "no", BEGINS: str(after)})
        self._its = its
        self._subject = caller.subject

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._its.feed.following(self._subject):
            await super().__call__(scope, receive, send)


def last_event_id(given: Annotated[str | None, Header(alias="Last-Event-ID")] = None) -> int | None:
    """The cursor that a client comes back with. Raises ProblemError."""
    if not given:
        return None
    if not _CURSOR.fullmatch(given):
        raise ProblemError(400, "invalid_request", "Last-Event-ID is not the id of an event of this stream.")
    return int(given)


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={200: {"description": "Entries of timelines as they are written", "content": {MEDIA_TYPE: {}}}},
)
async def events(
    caller: Annotated[Caller, Depends(reader)],
    its: Its,
    after: Annotated[int | None, Depends(last_event_id)],
    project: Project = None,
) -> StreamingResponse:
    """What happens to the instances of your projects, or of one, from now on or after `Last-Event-ID`.

    Each event is an entry of a timeline, and its id a cursor. Ends with the token, and when the server is replaced:
    come back with the last id. `X-Begins-After` is the position that it goes on after: not the one that was asked for when
    that is gone, as after a restore.
    """
    projects = (caller.project(project),) if project is not None or not caller.projects else caller.projects
    return _Stream(its, caller, projects, await its.feed.cursor(after))


async def _sent(its: Resources, caller: Caller, projects: tuple[str, ...], after: int) -> AsyncGenerator[str]:
    def left() -> float:
        return caller.expires_at - time.time()

    yield f"retry: {RETRY_MILLISECONDS}\n\n"
    try:
        async with aclosing(its.feed.follow(projects, after, lambda: min(HEARTBEAT_SECONDS, left()))) as batches:
            async for entries in batches:
                yield "".join(map(_event, entries)) or ": nothing new\n\n"
                if left() <= 0:
                    return
    except psycopg.Error as error:
        # The client comes back with its cursor.
        _log.warning("a stream ended", extra={"fields": {"cause": f"{type(error).__name__}: {error}"}})


def _event(entry: TimelineEntry) -> str:
    return f"id: {entry.position}\ndata: {entry.model_dump_json()}\n\n"
