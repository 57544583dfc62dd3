"""What the pages share, opened and closed with the process."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from starlette.requests import HTTPConnection

from gpuaas import redis_client
from gpuaas.oidc import client
from gpuaas.oidc.provider import Provider
from gpuaas.settings import WebSecrets, WebSettings
from gpuaas.web.api_client import ApiClient
from gpuaas.web.attempts import Attempts
from gpuaas.web.cookies import SignedCookie
from gpuaas.web.login import Login
from gpuaas.web.overview import Overviews
from gpuaas.web.sealing import Sealer
from gpuaas.web.sessions import SessionStore
from gpuaas.web.sockets import Places

SESSION_COOKIE = "__Host-session"


@dataclass(frozen=True, slots=True)
class Resources:
    """Everything a page may need."""

    settings: WebSettings
    configuration: dict[str, Any]
    redis: Redis
    api: ApiClient
    login: Login
    sessions: SessionStore
    session_cookie: SignedCookie
    attempts: Attempts
    overviews: Overviews
    places: Places
    stopping: asyncio.Event  # set when what answers without end has to end


@asynccontextmanager
async def opened(
    settings: WebSettings, secrets: WebSecrets, tls: ssl.SSLContext, configuration: dict[str, Any]
) -> AsyncIterator[Resources]:
    """Open without waiting for anything."""
    redis = redis_client.create(settings.redis_host, settings.redis_port, settings.redis_user, secrets.redis_password)
    http = client.create(tls)
    api = ApiClient(settings.api_url, tls)
    key = secrets.session_key_bytes
    try:
        yield Resources(
            settings=settings,
            configuration=configuration,
            redis=redis,
            api=api,
            login=Login(settings, secrets.oidc_client_secret, Provider(settings.oidc_issuer, http), http, redis),
            sessions=SessionStore(redis, Sealer(key, "session"), settings.session_seconds),
            session_cookie=SignedCookie(SESSION_COOKIE, key, settings.session_seconds),
            attempts=Attempts(key),
            overviews=Overviews(),
            places=Places(),
            stopping=asyncio.Event(),
        )
    finally:
        await api.close()
        await http.aclose()
        await redis.aclose()


def resources(request: HTTPConnection) -> Resources:
    """What ``opened`` opened."""
    found: Resources = request.app.state.resources
    return found
