"""Errors as problem details (RFC 9457) with a stable ``code``."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from gpu_fleet import logs
from gpu_fleet.refusals import Code, RefusedError

_log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
_MISSING = {
    "Idempotency-Key": (400, "idempotency_key_missing", "Send an Idempotency-Key, the same with every repetition."),
    "If-Match": (428, "precondition_required", "Send If-Match with the ETag that you saw (RFC 6585)."),
}


def respond(
    status: int,
    code: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
    errors: list[dict[str, str]] | None = None,
) -> Response:
    """A problem as a response."""
    document: dict[str, Any] = {
        "type": f"urn:gpu-fleet:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "request_id": logs.request_id.get(),
    }
    if errors:
        document["errors"] = errors
    return Response(json.dumps(document), status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Turn every exception that leaves a route into a problem."""
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(sqlite3.Error, _unavailable)
    app.add_exception_handler(Exception, _internal)


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    status = {Code.NOT_FOUND: 404, Code.PRECONDITION_FAILED: 412}.get(error.code, 409)
    return respond(status, error.code, error.detail)


async def _validation(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    for item in error.errors():
        if item["type"] == "missing" and (missing := _MISSING.get(str(item["loc"][-1]))):
            return respond(*missing)
    # The place and the rule, never the input: it may hold anything.
    errors = [
        {"field": ".".join(str(part) for part in item["loc"][1:]) or str(item["loc"][0]), "message": item["msg"]}
        for item in error.errors()
    ]
    return respond(400, "invalid_request", "The request is not valid; see errors.", errors=errors)


async def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "invalid_request")
    detail = "There is nothing here." if error.status_code == 404 else error.detail
    return respond(error.status_code, code, detail, error.headers)


async def _unavailable(_request: Request, error: Exception) -> Response:
    _log.warning("store unavailable", extra={"fields": {"cause": f"{type(error).__name__}: {error}"}})
    return respond(503, "unavailable", "The store does not answer.", {"Retry-After": "1"})


async def _internal(_request: Request, _error: Exception) -> Response:
    return respond(500, "internal", "Something went wrong here; the request id finds it in the logs.")
