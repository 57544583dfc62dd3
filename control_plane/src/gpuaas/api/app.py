"""The API as an ASGI application."""

from __future__ import annotations

import functools
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.responses import Response
from starlette.datastructures import Headers

from gpuaas import __version__
from gpuaas.api import docs, epoch_routes, events, operation_routes, problems, readiness, routes
from gpuaas.api.dashboard import routes as dashboard
from gpuaas.api.platform import routes as platform
from gpuaas.api.resources import opened
from gpuaas.service import Service, behind_edge
from gpuaas.settings import ApiSecrets, ApiSettings

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
DESCRIPTION = (
    "Projects hold GPU instances. Role viewer reads, role operator creates, stops, starts, resizes and deletes, role "
    "platform sees how the platform does. "
    "Errors are problem details (RFC 9457); their code is stable."
)


def create_service(
    settings: ApiSettings, secrets: ApiSecrets, tls: ssl.SSLContext, configuration: dict[str, Any]
) -> Service:
    """Build the applications; connections are opened by the lifespan of the public one."""

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
        openapi_url=None,
        redirect_slashes=False,
        # Validation failures and exceptions are logged by us, without their input.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    problems.install(app)
    app.include_router(routes.router)
    app.include_router(operation_routes.router)
    app.include_router(epoch_routes.router)
    app.include_router(events.router)
    app.include_router(platform.router)
    app.include_router(dashboard.router)

    # Written once, when first asked for: however often that is, it costs next to nothing.
    document = functools.cache(lambda: json.dumps(app.openapi()).encode())
    page = functools.cache(lambda: docs.render(app.openapi()).encode())

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi() -> Response:
        return Response(document(), media_type="application/json")

    @app.get("/docs", include_in_schema=False)
    async def documentation() -> Response:
        return Response(page(), headers={"Content-Security-Policy": docs.POLICY}, media_type="text/html")

    def stop() -> None:
        app.state.resources.feed.close()

    return behind_edge(
        app,
        settings,
        HEADERS,
        _credential,
        problems.refused,
        lambda: readiness.checks(app.state.resources),
        stop,
    )


def _credential(headers: Headers) -> str | None:
    return headers.get("authorization")
