"""Who looks at a page, with tokens that are good for the request at hand."""

from __future__ import annotations

import hmac
import logging
from dataclasses import dataclass

from redis.exceptions import LockError
from starlette.datastructures import FormData
from starlette.requests import Request

from gpuaas.oidc.provider import ProviderUnavailableError
from gpuaas.web.login import LoginError
from gpuaas.web.resources import Resources, resources
from gpuaas.web.sessions import Session

RENEW_SECONDS = 20.0
_log = logging.getLogger(__name__)


class SessionEndedError(Exception):
    """There is no session, or not any more."""


class ForgedRequestError(Exception):
    """A form that is not from one of our pages."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is logged in."""

    session_id: str
    session: Session


async def find(request: Request) -> Visitor | None:
    """The visitor, or None for an anonymous one.

    Raises SessionEndedError when the browser believes in a session that is over.
    """
    its = resources(request)
    if its.session_cookie.name not in request.cookies:
        return None
    identity = its.session_cookie.read(request)
    session = await its.sessions.load(identity) if identity else None
    if identity is None or session is None:
        raise SessionEndedError
    if session.expires_within(RENEW_SECONDS):
        session = await _renewed(its, identity)
    request.state.subject = session.username
    return Visitor(identity, session)


async def required(request: Request) -> Visitor:
    """The visitor. Raises SessionEndedError."""
    visitor = await find(request)
    if visitor is None:
        raise SessionEndedError
    return visitor


async def with_form(request: Request) -> tuple[Visitor, FormData]:
    """The visitor and the form that was sent. Raises SessionEndedError and ForgedRequestError."""
    origin = request.headers.get("origin")
    if origin is not None and origin != resources(request).settings.web_url:
        raise ForgedRequestError
    visitor = await required(request)
    form = await request.form(max_files=0, max_fields=20)
    given = form.get("csrf_token")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), visitor.session.csrf_token.encode()):
        raise ForgedRequestError
    return visitor, form


async def _renewed(its: Resources, identity: str) -> Session:
    try:
        async with its.sessions.lock(identity):
            # Somebody else may have renewed it, or logged out, while we waited.
            session = await its.sessions.load(identity)
            if session is None:
                raise SessionEndedError
            if session.expires_within(RENEW_SECONDS):
                await _renew(its, identity, session)
            return session
    except LockError:
        raise ProviderUnavailableError("another request is still renewing this session") from None


async def _renew(its: Resources, identity: str, session: Session) -> None:
    try:
        await its.login.renew(session)
    except LoginError as error:
        _log.info("session ended by the provider", extra={"fields": {"cause": str(error)}})
        await its.sessions.end(identity)
        raise SessionEndedError from None
    except ProviderUnavailableError:
        if session.expires_within(0):
            raise
        return
    await its.sessions.update(identity, session)
