"""What every request meets first: an id, who it is from, how many there are, how long its body is; and a log line."""

from __future__ import annotations

import asyncio
import hmac
import logging
import re
import time
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gpu_fleet import logs, problems, tracing

MAX_BODY_BYTES = 16 * 1024
BODY_SECONDS = 10.0  # until the next part of a body has come
MAX_REQUESTS = 32  # at once; below the threads that answer them
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")  # W3C Trace Context, 3.2
_access = logging.getLogger("gpu_fleet.access")


class Edge:
    """Outermost ASGI layer. With a token, only who shows it gets further, and nobody else's body is read."""

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        self._app = app
        self._expected = None if token is None else f"Bearer {token}".encode()
        self._requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        # Never reset: the server gives every request a task, and so a context, of its own.
        logs.request_id.set(_request_id(headers))
        logs.trace_id.set(_trace_id(headers))
        with tracing.request(scope, headers) as answered:
            answered["status"] = await self._answered(scope, headers, receive, send)

    async def _answered(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> int:
        began = time.perf_counter()
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                answer = MutableHeaders(scope=message)
                answer["X-Request-Id"] = logs.request_id.get() or ""
                answer.setdefault("Cache-Control", "no-store")
                answer.setdefault("X-Content-Type-Options", "nosniff")
            await send(message)

        try:
            await self._admitted(headers)(scope, _bounded(headers, receive), sending)
        except Exception:
            # The answer 500 is sent already. Passed on, the exception would also close the connection.
            logging.getLogger(__name__).exception("unhandled exception")
        finally:
            fields = {
                "method": scope["method"],
                "path": scope["path"],
                "status": status,
                "duration_ms": round((time.perf_counter() - began) * 1000, 1),
            }
            _access.info("request", extra={"fields": fields})
        return status

    def _admitted(self, headers: Headers) -> ASGIApp:
        """The application, or what is answered in its place."""
        if self._expected is not None:
            shown = headers.get("authorization")
            if shown is None:
                return problems.respond(401, "token_missing", "Send Authorization: Bearer ...", _challenge(""))
            if not hmac.compare_digest(shown.encode("latin-1"), self._expected):
                return problems.respond(
                    401, "token_invalid", "The token is not known.", _challenge(', error="invalid_token"')
                )
        if self._requests >= MAX_REQUESTS:
            return problems.respond(503, "unavailable", "Too many requests at once.", {"Retry-After": "1"})
        return self._counted

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._requests += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._requests -= 1


def _challenge(error: str) -> dict[str, str]:
    """RFC 6750, section 3."""
    return {"WWW-Authenticate": f'Bearer realm="gpu-fleet"{error}'}


def _request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _trace_id(headers: Headers) -> str | None:
    match = _TRACEPARENT.fullmatch(headers.get("traceparent", ""))
    return match[1] if match else None


def _bounded(headers: Headers, receive: Receive) -> Receive:
    """``receive`` that refuses bodies above the bound, declared or not, and those that do not come."""
    received = 0
    declared = headers.get("content-length", "0")

    async def bounded() -> Message:
        nonlocal received
        try:
            async with asyncio.timeout(BODY_SECONDS):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408, "The request body did not come.") from None
        if message["type"] == "http.request":
            received += len(message.get("body", b""))
            if received > MAX_BODY_BYTES or (declared.isdecimal() and int(declared) > MAX_BODY_BYTES):
                raise HTTPException(413, "The request body is too large.")
        return message

    return bounded
