"""The web console as an ASGI application."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from gpuaas.service import Service, behind_edge
from gpuaas.settings import WebSecrets, WebSettings
from gpuaas.web import auth, configuration, errors, instances, live, operations, platform, readiness
from gpuaas.web.resources import SESSION_COOKIE, opened

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
}


def create_service(
    settings: WebSettings, secrets: WebSecrets, tls: ssl.SSLContext, described: dict[str, Any]
) -> Service:
    """Build the applications; connections are opened by the lifespan of the public one."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with opened(settings, secrets, tls, described) as its:
            app.state.resources = its
            yield

    app = Starlette(
        routes=[
            Route("/", instances.home),
            Route("/auth/login", auth.login),
            Route("/auth/callback", auth.callback),
            Route("/auth/logout", auth.logout, methods=["POST"]),
            Route("/instances", instances.create, methods=["POST"]),
            Route("/instances/{instance_id:uuid}", instances.show),
            Route("/instances/{instance_id:uuid}/stop", operations.stop, methods=["POST"]),
            Route("/instances/{instance_id:uuid}/start", operations.start, methods=["POST"]),
            Route("/instances/{instance_id:uuid}/resize", operations.resize, methods=["POST"]),
            Route("/instances/{instance_id}/delete", instances.delete, methods=["POST"]),
            Route("/events", live.events),
            Route("/platform", platform.show),
            Route("/configuration", configuration.show),
            Mount("/static", StaticFiles(packages=[("gpuaas.web", "static")])),
        ],
        lifespan=lifespan,
        exception_handlers=errors.HANDLERS,
    )
    app.router.redirect_slashes = False

    def stop() -> None:
        app.state.resources.stopping.set()

    return behind_edge(
        app,
        settings,
        HEADERS,
        _credential,
        errors.refused,
        lambda: readiness.checks(app.state.resources),
        stop,
    )


def _credential(headers: Headers) -> str | None:
    """The session's cookie. A token is the API's to judge, which is asked each time."""
    return cookie_parser(headers.get("cookie", "")).get(SESSION_COOKIE)
