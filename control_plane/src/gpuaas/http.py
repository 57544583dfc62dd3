"""What every request gets at the edge of a process: id, admission, bounds, headers, a log line."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable, Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gpuaas import logs, tracing
from gpuaas.admission import Admission, Refusal

MAX_BODY_BYTES = 64 * 1024
_STARTS = ("http.response.start", "websocket.http.response.start")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
logger = logging.getLogger("gpuaas.access")

# No HSTS: whether a host is HTTPS-only is the ingress's to say, and on a local
# domain it would take away the browser's way past an untrusted test CA.
SECURITY_HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    # Not no-referrer: browsers would then send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
}


class Edge:
    """Outermost ASGI layer; the application inside never sees an oversized body."""

    def __init__(
        self, app: ASGIApp, headers: Mapping[str, str], admission: Admission, refuse: Callable[[Refusal], Response]
    ) -> None:
        self.app = app
        self._headers = {**SECURITY_HEADERS, **headers}
        self._admission = admission
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        told = {"http.request.method": _method(scope), "url.path": scope["path"]}
        with tracing.span(_method(scope), "server", headers, told) as span:
            await self._answered(scope, receive, send, span)

    async def _answered(self, scope: Scope, receive: Receive, send: Send, span: tracing.Span) -> None:
        identity = _request_id(Headers(scope=scope))
        # Never reset: the server gives every request a task, and so a context, of its own.
        logs.request_id.set(identity)
        started = time.perf_counter()
        status = 0
        visit = self._admission.begin(scope)
        is_over = False

        def end() -> None:
            nonlocal is_over
            if not is_over and not isinstance(visit, Refusal):
                is_over = True
                self._admission.end(visit, status, "subject" in scope.get("state", {}))

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "websocket.accept":
                status = 101
                end()
            if message["type"] in _STARTS:
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = identity
                if "set-cookie" in headers:
                    headers["Cache-Control"] = "no-store"
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                if headers.get("content-type", "").startswith("text/event-stream"):
                    end()  # it goes on for as long as its reader likes, and has bounds of its own
            await send(message)

        if isinstance(visit, Refusal):
            answer = self._refuse(visit)
            answer.headers["Retry-After"] = str(visit.retry_after)
            await answer(scope, receive, send_with_headers)
            return
        try:
            await self.app(scope, _bounded(scope, receive), send_with_headers)
        except Exception:
            # The answer 500 is sent already. Passed on, the exception would also
            # close the connection under the next request of the ingress.
            logger.exception("unhandled exception")
        finally:
            end()
            _name(span, scope, status)
            _access_line(scope, status, time.perf_counter() - started)


def _method(scope: Scope) -> str:
    """A WebSocket begins as a GET (RFC 6455, section 4.1)."""
    return str(scope.get("method", "GET"))


def _request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _bounded(scope: Scope, receive: Receive) -> Receive:
    """``receive`` that refuses bodies above the bound, declared or not."""
    received = 0
    declared = Headers(scope=scope).get("content-length", "0")

    async def bounded() -> Message:
        nonlocal received
        message = await receive()
        if message["type"] == "http.request":
            received += len(message.get("body", b""))
            if received > MAX_BODY_BYTES or (declared.isdecimal() and int(declared) > MAX_BODY_BYTES):
                raise HTTPException(413, "The request body is too large.")
        return message

    return bounded


def _name(span: tracing.Span, scope: Scope, status: int) -> None:
    """By its route; not where none was found, since that is what a stranger asks for."""
    if "endpoint" in scope:
        span.rename(f"{_method(scope)} {tracing.template(scope['path'])}")
    span.tell({tracing.STATUS: status})
    if status >= 500:
        span.fail()


def _access_line(scope: Scope, status: int, seconds: float) -> None:
    # The path alone: a query may hold an authorization code.
    fields = {
        "method": _method(scope),
        "path": scope["path"],
        "status": status,
        "duration_ms": round(seconds * 1000, 1),
    }
    if subject := scope.get("state", {}).get("subject"):
        fields["subject"] = subject
    logger.info("request", extra={"fields": fields})
