"""``GET /events``: what the API tells of a project as it happens, passed on to a page of the console.

The browser has no token, so it cannot ask the API itself. It comes back by itself, with the id of the last event it has.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import httpx
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from gpuaas.web import visitor
from gpuaas.web.resources import resources

MEDIA_TYPE = "text/event-stream"


async def events(request: Request) -> Response:
    """Follow a project of the visitor. Ends with the visitor's token, and when the console or the API is replaced."""
    who = await visitor.required(request)
    its = resources(request)
    project = request.query_params.get("project", "")
    since = request.headers.get("last-event-id", "")
    answer = await visitor.ask(request, who, lambda token: its.api.events(token, project, since))
    return StreamingResponse(
        passed_on(answer, its.stopping), media_type=MEDIA_TYPE, headers={"X-Accel-Buffering": "no"}
    )


async def passed_on(answer: httpx.Response, stopping: asyncio.Event) -> AsyncGenerator[bytes]:
    """What the API sends, until it ends or the process is told to stop."""
    stop = asyncio.create_task(stopping.wait())
    try:
        chunks = answer.aiter_raw()
        while True:
            chunk = asyncio.ensure_future(anext(chunks, None))
            done, _waiting = await asyncio.wait({chunk, stop}, return_when=asyncio.FIRST_COMPLETED)
            if chunk not in done:
                chunk.cancel()
                await asyncio.wait({chunk})
                return
            if (part := chunk.result()) is None:
                return
            yield part
    except httpx.HTTPError:
        # The API went away, as it does when it is replaced: the browser comes back.
        return
    finally:
        stop.cancel()
        await answer.aclose()
