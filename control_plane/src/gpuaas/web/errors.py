"""Errors as pages that say what to do."""

from __future__ import annotations

import logging
from typing import Any

from redis.exceptions import RedisError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gpuaas import logs
from gpuaas.admission import Refusal
from gpuaas.oidc.provider import ProviderUnavailableError
from gpuaas.web.api_client import ApiProblemError, ApiUnavailableError
from gpuaas.web.rendering import page
from gpuaas.web.resources import resources
from gpuaas.web.visitor import ForgedRequestError, SessionEndedError

_log = logging.getLogger(__name__)


def refused(refusal: Refusal) -> Response:
    """A request that was not let in."""
    title = "Too many requests" if refusal.status == 429 else "The console is busy"
    message = f"{refusal.detail} Try again in {refusal.retry_after} s."
    return page("error.html", refusal.status, title=title, message=message, again="home")


async def session_ended(request: Request, _error: Exception) -> Response:
    """Log in again."""
    return _ended(request)


async def forged(_request: Request, _error: Exception) -> Response:
    """A form without its token."""
    return page(
        "error.html",
        403,
        title="This form is out of date",
        message="It was not sent from a current page of this console. Nothing was changed.",
        again="home",
    )


async def api_problem(_request: Request, error: Exception) -> Response:
    """The API refuses."""
    assert isinstance(error, ApiProblemError)
    if error.status == 401:
        # Also with a token that was renewed just now: that is between the API and the identity provider.
        _log.error("api refuses a token that was renewed just now", extra={"fields": {"code": error.code}})
        return page(
            "error.html",
            502,
            title="The API does not accept your log-in",
            message="Your session is kept. Whoever runs this platform finds the reason in its logs.",
            again="home",
        )
    _log.warning("api refuses", extra={"fields": {"code": error.code, "status": error.status}})
    titles = {403: "That is not allowed", 404: "Not found", 429: "Too many requests", 503: "The API is not ready"}
    return page(
        "error.html",
        error.status,
        title=titles.get(error.status, "The API refused"),
        message=error.detail,
        again="home",
    )


def unavailable(title: str, message: str) -> Any:
    """A handler for a dependency that does not answer."""

    async def handler(_request: Request, error: Exception) -> Response:
        _log.warning("dependency unavailable", extra={"fields": {"cause": f"{type(error).__name__}: {error}"}})
        response = page("error.html", 503, title=title, message=message, again="home")
        response.headers["Retry-After"] = "5"
        return response

    return handler


async def http(_request: Request, error: Exception) -> Response:
    """No such page, wrong method, too large."""
    assert isinstance(error, HTTPException)
    title = "There is no such page" if error.status_code == 404 else "That does not work"
    message = "The address may be mistyped." if error.status_code == 404 else error.detail
    response = page("error.html", error.status_code, title=title, message=message, again="home")
    response.headers.update(error.headers or {})
    return response


async def internal(_request: Request, _error: Exception) -> Response:
    """A fault of ours."""
    return page(
        "error.html",
        500,
        title="Something went wrong here",
        message=f"Request {logs.request_id.get()} finds it in the logs.",
        again="home",
    )


def _ended(request: Request) -> Response:
    its = resources(request)
    # To look at the landing page is no error; to change something without a session is.
    status = 200 if request.method == "GET" and request.url.path == "/" else 401
    response = page(
        "error.html", status, title="Your session has ended", message="Log in again to go on.", again="login"
    )
    its.session_cookie.clear(response)
    return response


HANDLERS: dict[Any, Any] = {
    SessionEndedError: session_ended,
    ForgedRequestError: forged,
    ApiProblemError: api_problem,
    ApiUnavailableError: unavailable("The API does not answer", "Nothing was lost. Try again in a moment."),
    ProviderUnavailableError: unavailable(
        "The identity provider does not answer", "Logging in needs it. Try again in a moment."
    ),
    RedisError: unavailable(
        "The session store does not answer", "Nobody can be recognised without it. Try again in a moment."
    ),
    HTTPException: http,
    Exception: internal,
}
