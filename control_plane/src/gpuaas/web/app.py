"""The web console as an ASGI application."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.routing import Mount, Route, WebSocketRoute

from gpuaas.service import Service, behind_edge
from gpuaas.settings import WebSecrets, WebSettings
from gpuaas.web import auth, configuration, dashboard, errors, files, instances, live, operations, platform, readiness
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
            WebSocketRoute("/live", live.follow),
            Route("/dashboard", dashboard.show),
            Route("/dashboard/sealed", dashboard.sealed),
            Route("/dashboard/epochs", dashboard.begin_epoch, methods=["POST"]),
            Route("/dashboard/devices", dashboard.ask_for_device, methods=["POST"]),
            Route("/platform", platform.show),
            Route("/configuration", configuration.show),
            Mount("/static/jose", files.jose()),
            Mount("/static", files.ours()),
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
        websocket_protocol="gpuaas.web.sockets:Protocol",
    )


def _credential(headers: Headers) -> str | None:
    """The session's cookie. A token is the API's to judge, which is asked each time."""
    return cookie_parser(headers.get("cookie", "")).get(SESSION_COOKIE)
