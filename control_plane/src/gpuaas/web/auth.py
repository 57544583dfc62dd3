"""Log in, come back, log out."""

from __future__ import annotations

import logging

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gpuaas.oidc.provider import ProviderUnavailableError
from gpuaas.web import visitor
from gpuaas.web.attempts import Attempt
from gpuaas.web.login import LoginError
from gpuaas.web.rendering import page
from gpuaas.web.resources import resources

_log = logging.getLogger(__name__)


async def login(request: Request) -> Response:
    """To the identity provider."""
    its = resources(request)
    begun = await its.login.begin()
    response = RedirectResponse(begun.url, 303)
    its.attempts.keep(request, response, begun.state, begun.attempt)
    return response


async def callback(request: Request) -> Response:
    """Back from the identity provider."""
    its = resources(request)
    query = request.query_params
    state = query.get("state", "")
    attempt = its.attempts.of(request, state)
    if attempt is None or not await its.login.claim(state):
        # A reload or the back button, after a log-in that worked.
        if await _logged_in(request):
            return RedirectResponse("/", 303)
        return _failed("This log-in was not begun in this browser, was used already, or took too long.")
    response = await _finished(request, attempt)
    its.attempts.forget(response, state)
    return response


async def _finished(request: Request, attempt: Attempt) -> Response:
    its = resources(request)
    query = request.query_params
    if "code" not in query:
        _log.info("log-in refused by the provider", extra={"fields": {"cause": query.get("error", "")[:100]}})
        return _failed("The identity provider did not log you in.")
    try:
        session = await its.login.finish(attempt, query["code"], query.get("iss"))
    except LoginError as error:
        _log.warning("log-in failed", extra={"fields": {"cause": str(error)}})
        return _failed("The identity provider's answer was not accepted.")
    if before := its.session_cookie.read(request):
        await its.sessions.end(before)
    response = RedirectResponse("/", 303)
    its.session_cookie.write(response, await its.sessions.create(session))
    return response


async def logout(request: Request) -> Response:
    """Out here, then out at the identity provider."""
    its = resources(request)
    who, _form = await visitor.with_form(request, fresh=False)
    await its.sessions.end(who.session_id)
    response: Response = RedirectResponse("/", 303)
    try:
        await its.login.end(who.session)
    except ProviderUnavailableError as error:
        _log.warning("the provider's session may last", extra={"fields": {"cause": str(error)}})
        response = page(
            "error.html",
            503,
            title="Logged out here",
            message="You are logged out of this console. The identity provider does not answer, so its own session may last.",
            again=None,
        )
    its.session_cookie.clear(response)
    return response


async def _logged_in(request: Request) -> bool:
    try:
        return await visitor.find(request) is not None
    except visitor.SessionEndedError:
        return False


def _failed(message: str) -> Response:
    return page("error.html", 400, title="You are not logged in", message=message, again="login")
