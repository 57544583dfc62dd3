"""The API as an ASGI application."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from starlette.types import ASGIApp

from gpuaas import __version__, http
from gpuaas.api import docs, health, problems, routes
from gpuaas.api.resources import opened
from gpuaas.settings import ApiSecrets, ApiSettings

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
DESCRIPTION = (
    "Projects hold GPU instances. Role viewer reads, role operator creates and deletes. "
    "Errors are problem details (RFC 9457); their code is stable."
)


def create_app(
    settings: ApiSettings, secrets: ApiSecrets, tls: ssl.SSLContext, configuration: dict[str, Any]
) -> ASGIApp:
    """Build the application; connections are opened by its lifespan."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with opened(settings, secrets, tls, configuration) as its:
            app.state.resources = its
            yield

    app = FastAPI(
        title="GPUaaS API",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        # The stock pages load scripts from a CDN.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # Validation failures and exceptions are logged by us, without their input.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    problems.install(app)
    app.include_router(health.router)
    app.include_router(routes.router)

    @app.get("/docs", include_in_schema=False)
    async def documentation() -> HTMLResponse:
        return HTMLResponse(docs.render(app.openapi()), headers={"Content-Security-Policy": docs.POLICY})

    return http.Edge(app, HEADERS)
