"""Errors as problem details (RFC 9457) with a stable ``code``; 401 with RFC 6750's challenge."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from psycopg import OperationalError
from redis.exceptions import RedisError
from starlette.exceptions import HTTPException

from gpuaas import logs
from gpuaas.admission import Refusal
from gpuaas.encryption.refusal import Reason, RefusedError
from gpuaas.oidc.provider import ProviderUnavailableError
from gpuaas.oidc.tokens import TokenError

MEDIA_TYPE = "application/problem+json"
REALM = "gpuaas"
_log = logging.getLogger(__name__)
# What is right in itself, and too late.
_CONFLICTS = {
    Reason.ENVELOPE_EPOCH_STALE,
    Reason.ENVELOPE_EPOCH_UNKNOWN,
    Reason.ENVELOPE_REPLAYED,
    Reason.EPOCH_CONFLICT,
}
# What the server does not open, and what it cannot at the moment; else what was sent is wrong.
_STATUS = {"plaintext": 403, "kms": 503, "root": 503}


class ProblemError(Exception):
    """An answer that is an error."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        """``members`` are extensions of the document (RFC 9457, section 3.2)."""
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = dict(members or {})


def token_missing() -> ProblemError:
    """RFC 6750, section 3.1: without credentials the challenge carries no error code."""
    return ProblemError(
        401,
        "token_missing",
        "Send an access token: Authorization: Bearer ...",
        {"WWW-Authenticate": f'Bearer realm="{REALM}"'},
    )


def token_refused(error: TokenError) -> ProblemError:
    """RFC 6750, section 3: the challenge says why."""
    challenge = f'Bearer realm="{REALM}", error="invalid_token", error_description="{error.detail}"'
    return ProblemError(401, error.code, error.detail, {"WWW-Authenticate": challenge})


def respond(problem: ProblemError, errors: list[dict[str, str]] | None = None) -> Response:
    """The response of ``problem``."""
    document: dict[str, Any] = {
        "type": f"urn:gpuaas:problem:{problem.code}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
        "request_id": logs.request_id.get(),
        **problem.members,
    }
    if errors:
        document["errors"] = errors
    return Response(json.dumps(document), problem.status, problem.headers, MEDIA_TYPE)


def refused(refusal: Refusal) -> Response:
    """The response of a request that was not let in."""
    return respond(ProblemError(refusal.status, refusal.code, refusal.detail))


def install(app: FastAPI) -> None:
    """Turn every exception that leaves a route into a problem."""
    app.add_exception_handler(ProblemError, _problem)
    app.add_exception_handler(TokenError, _token)
    app.add_exception_handler(RefusedError, _sealed_wrongly)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(OperationalError, _unavailable("The database does not answer."))
    app.add_exception_handler(RedisError, _unavailable("The cache does not answer."))
    app.add_exception_handler(ProviderUnavailableError, _unavailable("The identity provider does not answer."))
    app.add_exception_handler(Exception, _internal)


async def _problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return respond(error)


async def _token(_request: Request, error: Exception) -> Response:
    assert isinstance(error, TokenError)
    return respond(token_refused(error))


async def _sealed_wrongly(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    status = 409 if error.reason in _CONFLICTS else _STATUS.get(error.reason.partition("_")[0], 400)
    return respond(ProblemError(status, error.reason, f"{error.seen}: {error.advice}"))


async def _validation(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    # The place and the rule, never the input: it may hold anything.
    errors = [
        {"field": ".".join(str(part) for part in item["loc"][1:]) or str(item["loc"][0]), "message": item["msg"]}
        for item in error.errors()
    ]
    return respond(ProblemError(400, "invalid_request", "The request is not valid; see errors."), errors)


async def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "invalid_request")
    detail = "There is nothing here." if error.status_code == 404 else error.detail
    return respond(ProblemError(error.status_code, code, detail, error.headers))


def _unavailable(detail: str) -> Any:
    async def handler(_request: Request, error: Exception) -> Response:
        _log.warning("dependency unavailable", extra={"fields": {"cause": f"{type(error).__name__}: {error}"}})
        return respond(ProblemError(503, "unavailable", detail, {"Retry-After": "1"}))

    return handler


async def _internal(_request: Request, _error: Exception) -> Response:
    return respond(ProblemError(500, "internal", "Something went wrong here; the request id finds it in the logs."))
