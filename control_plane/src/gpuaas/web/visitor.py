"""Who looks at a page, with tokens that are good for the request at hand."""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from redis.exceptions import LockError
from starlette.datastructures import FormData
from starlette.requests import HTTPConnection, Request

from gpuaas.oidc.provider import ProviderUnavailableError
from gpuaas.web.api_client import ApiProblemError
from gpuaas.web.login import RenewalRefusedError
from gpuaas.web.resources import Resources, resources
from gpuaas.web.sessions import Session

RENEW_SECONDS = 20.0
_log = logging.getLogger(__name__)


class SessionEndedError(Exception):
    """There is no session, or not any more."""


class ForgedRequestError(Exception):
    """A form that is not from one of our pages."""


@dataclass(slots=True)
class Visitor:
    """Somebody who is logged in."""

    session_id: str
    session: Session


async def find(request: HTTPConnection, fresh: bool = True) -> Visitor | None:
    """The visitor, or None for an anonymous one; ``fresh``: with a token that is good for a while.

    Raises SessionEndedError when the browser believes in a session that is over.
    """
    its = resources(request)
    if its.session_cookie.name not in request.cookies:
        return None
    identity = its.session_cookie.read(request)
    session = await its.sessions.load(identity) if identity else None
    if identity is None or session is None:
        raise SessionEndedError
    if fresh and session.expires_within(RENEW_SECONDS):
        session = await _renewed(its, identity, session)
    # For the log, as the API has it: a name would be somebody's.
    request.state.subject = session.subject
    return Visitor(identity, session)


async def ask[T](request: HTTPConnection, visitor: Visitor, call: Callable[[str], Awaitable[T]]) -> T:
    """What the API answers to ``call`` with the visitor's token; one that it refuses is renewed once.

    Raises what ``call`` raises, SessionEndedError and ProviderUnavailableError.
    """
    refused = visitor.session.access_token
    try:
        return await call(refused)
    except ApiProblemError as problem:
        if problem.status != 401:
            raise
    visitor.session = await _renewed(resources(request), visitor.session_id, visitor.session, refused)
    return await call(visitor.session.access_token)


async def required(request: HTTPConnection, fresh: bool = True) -> Visitor:
    """The visitor. Raises SessionEndedError."""
    visitor = await find(request, fresh)
    if visitor is None:
        raise SessionEndedError
    return visitor


async def with_form(request: Request, fresh: bool = True) -> tuple[Visitor, FormData]:
    """The visitor and the form that was sent. Raises SessionEndedError and ForgedRequestError."""
    _from_our_pages(request)
    visitor = await required(request, fresh)
    form = await request.form(max_files=0, max_fields=20)
    _has_token(form.get("csrf_token"), visitor)
    return visitor, form


async def with_json(request: Request) -> tuple[Visitor, dict[str, Any]]:
    """The visitor and the object that a script of a page sent. Raises SessionEndedError and ForgedRequestError."""
    _from_our_pages(request)
    visitor = await required(request)
    _has_token(request.headers.get("x-csrf-token"), visitor)
    try:
        given = await request.json()
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        raise ForgedRequestError from None
    if not isinstance(given, dict):
        raise ForgedRequestError
    return visitor, given


def _from_our_pages(request: Request) -> None:
    origin = request.headers.get("origin")
    if origin is not None and origin != resources(request).settings.web_url:
        raise ForgedRequestError


def _has_token(given: object, visitor: Visitor) -> None:
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), visitor.session.csrf_token.encode()):
        raise ForgedRequestError


async def _renewed(its: Resources, identity: str, session: Session, refused: str = "") -> Session:
    """The session with a token that is good for a while, and is not the one that was ``refused``."""
    needed = bool(refused) or session.expires_within(0)
    try:
        async with its.sessions.lock(identity, wait=needed):
            # Somebody else may have renewed it, or logged out, while we waited.
            current = await its.sessions.load(identity)
            if current is None:
                raise SessionEndedError
            if current.access_token == refused or current.expires_within(RENEW_SECONDS):
                await _renew(its, identity, current, needed)
            return current
    except LockError:
        if not needed:
            return session
        raise ProviderUnavailableError("another request is still renewing this session") from None


async def _renew(its: Resources, identity: str, session: Session, needed: bool) -> None:
    try:
        await its.login.renew(session)
    except RenewalRefusedError as error:
        _log.info("session ended by the provider", extra={"fields": {"cause": str(error)}})
        await its.sessions.end(identity)
        raise SessionEndedError from None
    except ProviderUnavailableError as error:
        if needed:
            raise
        _log.warning("session not renewed yet", extra={"fields": {"cause": str(error)}})
        return
    if not await its.sessions.update(identity, session):
        raise SessionEndedError
