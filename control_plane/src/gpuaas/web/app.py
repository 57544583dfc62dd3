"""The web console as an ASGI application."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from gpuaas import http
from gpuaas.settings import WebSecrets, WebSettings
from gpuaas.web import auth, configuration, errors, instances
from gpuaas.web.resources import opened, resources


async def live(_request: Request) -> JSONResponse:
    """The event loop turns."""
    return JSONResponse({"status": "live"})


async def ready(request: Request) -> JSONResponse:
    """200, or 503 with what is missing."""
    try:
        await resources(request).redis.ping()
    except RedisError as error:
        return JSONResponse(
            {"status": "not ready", "missing": {"redis": f"not reachable ({type(error).__name__})"}}, 503
        )
    return JSONResponse({"status": "ready"})


def create_app(settings: WebSettings, secrets: WebSecrets, tls: ssl.SSLContext, described: dict[str, Any]) -> ASGIApp:
    """Build the application; connections are opened by its lifespan."""

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
            Route("/instances/{instance_id}/delete", instances.delete, methods=["POST"]),
            Route("/configuration", configuration.show),
            Route("/healthz/live", live),
            Route("/healthz/ready", ready),
            Mount("/static", StaticFiles(packages=[("gpuaas.web", "static")])),
        ],
        lifespan=lifespan,
        exception_handlers=errors.HANDLERS,
    )
    app.router.redirect_slashes = False
    return http.Edge(app, {"Content-Security-Policy": _policy(settings.oidc_issuer)})


def _policy(issuer: str) -> str:
    # Chromium applies form-action to the redirect that answers a form too: logging out ends at the issuer.
    parts = urlsplit(issuer)
    return (
        "default-src 'none'; style-src 'self'; img-src 'self'; "
        f"form-action 'self' {parts.scheme}://{parts.netloc}; base-uri 'none'; frame-ancestors 'none'"
    )
