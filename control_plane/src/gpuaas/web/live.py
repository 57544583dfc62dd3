"""``/live``: what happens in a project as it happens, over a WebSocket, for the pages of the console.

The browser has no token, so it cannot ask the API's stream itself. The console asks it, with the visitor's own token, for as
long as the session lasts: what comes over the socket is what the API lets this visitor see. The browser only listens. It comes
back by itself, with the last position that it has.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing, suppress

import httpx
from redis.exceptions import RedisError
from starlette.responses import JSONResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from gpuaas.oidc.provider import ProviderUnavailableError
from gpuaas.web import overview, visitor
from gpuaas.web.api_client import ApiProblemError, ApiUnavailableError
from gpuaas.web.resources import Resources, resources
from gpuaas.web.sockets import End, EndedError
from gpuaas.web.visitor import SessionEndedError, Visitor

# How long a message may take to be taken, and how long after its end a session may still be shown something.
SEND_SECONDS = 10.0
SESSION_SECONDS = 2.0
CLOSE_SECONDS = 1.0
OVERVIEW_SECONDS = 5.0
# After something happened, so that a storm of events is no storm of looks.
SOON_SECONDS = 1.0
_BEGINS = "x-begins-after"
_POSITION = re.compile(r"[0-9]{1,18}")
_PROBLEMS = {401: End.SESSION_ENDED, 403: End.FORBIDDEN, 400: End.INVALID_REQUEST, 429: End.TOO_MANY}
_log = logging.getLogger(__name__)


async def follow(socket: WebSocket) -> None:
    """Send what happens in a project of the visitor until somebody has enough of it."""
    # Browsers let every page open a socket here, with the visitor's cookie; no page of ours is of another origin (RFC 6455 10.2).
    if socket.headers.get("origin") != resources(socket).settings.web_url:
        await socket.send_denial_response(JSONResponse({"code": "origin_foreign"}, 403))
        return
    await socket.accept()
    try:
        await _followed(socket)
    except WebSocketDisconnect:
        return
    except EndedError as ended:
        _log.info("live connection ended", extra={"fields": {"code": ended.end.code, "cause": ended.end.reason}})
        # One who does not read does not take this either.
        with suppress(TimeoutError, WebSocketDisconnect):
            async with asyncio.timeout(CLOSE_SECONDS):
                await socket.close(*ended.end.value)


async def _followed(socket: WebSocket) -> None:
    its = resources(socket)
    try:
        who = await visitor.required(socket)
        project, position = socket.query_params.get("project", ""), socket.query_params.get("position", "")
        if not project or (position and not _POSITION.fullmatch(position)):
            raise EndedError(End.INVALID_REQUEST)
        with its.places.taken(who.session_id):
            follower = _Follower(socket, its, who, project, int(position) if position else None)
            await _first(follower.listen(), follower.watch(), follower.tell(), follower.tell_overview())
    except SessionEndedError:
        raise EndedError(End.SESSION_ENDED) from None
    except ApiProblemError as problem:
        _log.info("the API refuses", extra={"fields": {"code": problem.code, "status": problem.status}})
        raise EndedError(_PROBLEMS.get(problem.status, End.UNAVAILABLE)) from None
    except (ApiUnavailableError, ProviderUnavailableError, RedisError, httpx.HTTPError) as error:
        _log.warning("dependency unavailable", extra={"fields": {"cause": f"{type(error).__name__}: {error}"}})
        raise EndedError(End.UNAVAILABLE) from None


async def _first(*works: Coroutine[None, None, None]) -> None:
    """All at once, until the first one ends; as it does."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


class _Follower:
    """One socket. Each part runs until the socket has to end, and raises why."""

    def __init__(self, socket: WebSocket, its: Resources, who: Visitor, project: str, position: int | None) -> None:
        self._socket = socket
        self._its = its
        self._who = who
        self._project = project
        self._position = position
        self._sending = asyncio.Lock()
        # Set while the API lets the visitor follow the project, and when something happened since the last look.
        self._allowed = asyncio.Event()
        self._happened = asyncio.Event()

    async def listen(self) -> None:
        """Nobody is listened to: a page has nothing to say here."""
        if (await self._socket.receive())["type"] == "websocket.disconnect":
            raise WebSocketDisconnect
        raise EndedError(End.CLIENT_SPOKE)

    async def watch(self) -> None:
        """The session, which may be ended elsewhere, and the process."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(SESSION_SECONDS):
                    await self._its.stopping.wait()
                raise EndedError(End.RESTARTING)
            if not await self._its.sessions.lives(self._who.session_id):
                raise EndedError(End.SESSION_ENDED)

    async def tell(self) -> None:
        """What happens. A stream of the API ends with its token and goes on with the next one, from where it was."""
        while True:
            began = time.monotonic()
            self._who = await visitor.required(self._socket)
            answer = await visitor.ask(self._socket, self._who, self._stream)
            try:
                if (begins := int(answer.headers.get(_BEGINS, -1))) < 0:
                    raise ApiUnavailableError("the API is of a version that does not say where its stream begins")
                if self._position not in (None, begins):
                    raise EndedError(End.POSITION_GONE)
                self._position = begins
                if not self._allowed.is_set():
                    await self._send({"kind": "begins", "position": begins})
                    self._allowed.set()
                async with aclosing(_events(answer)) as batches:
                    async for events in batches:
                        await self._tell(events)
            finally:
                await answer.aclose()
            # Never faster than a client that is told to come back does.
            await asyncio.sleep(max(0.0, SOON_SECONDS - (time.monotonic() - began)))

    async def tell_overview(self) -> None:
        """How the project stands: soon after something happened, and now and then."""
        await self._allowed.wait()
        while True:
            self._happened.clear()
            try:
                page = await self._its.overviews.of(
                    self._project, lambda: visitor.ask(self._socket, self._who, self._ask)
                )
                await self._send({"kind": "overview", "html": page})
            except (ApiProblemError, ApiUnavailableError) as error:
                # The stream tells when that lasts.
                _log.warning("no overview", extra={"fields": {"cause": str(error)}})
            await asyncio.sleep(SOON_SECONDS)
            with suppress(TimeoutError):
                async with asyncio.timeout(OVERVIEW_SECONDS - SOON_SECONDS):
                    await self._happened.wait()

    async def _stream(self, token: str) -> httpx.Response:
        since = "" if self._position is None else str(self._position)
        return await self._its.api.events(token, self._project, since)

    async def _ask(self, token: str) -> overview.Overview:
        return await self._its.api.overview(token, self._project)

    async def _tell(self, events: list[str]) -> None:
        entries = [json.loads(event) for event in events]
        if any(entry["project"] != self._project for entry in entries):
            _log.error("the API sent what was not asked for", extra={"fields": {"project": self._project}})
            raise EndedError(End.INTERNAL)
        self._position = entries[-1]["position"]
        await self._send({"kind": "entries", "position": self._position, "items": entries})
        self._happened.set()

    async def _send(self, message: dict[str, object]) -> None:
        text = json.dumps(message, separators=(",", ":"))
        try:
            async with asyncio.timeout(SEND_SECONDS), self._sending:
                await self._socket.send_text(text)
        except TimeoutError:
            raise EndedError(End.SLOW_READER) from None


async def _events(answer: httpx.Response) -> AsyncGenerator[list[str]]:
    """The data of server-sent events, as many at once as came at once; ends when the API goes away, as it does when it is replaced."""
    rest = ""
    with suppress(httpx.HTTPError):
        async for part in answer.aiter_text():
            *blocks, rest = (rest + part).split("\n\n")
            found = [line[6:] for block in blocks for line in block.split("\n") if line.startswith("data: ")]
            if found:
                yield found
