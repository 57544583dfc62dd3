"""Asks an ASGI application in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
from starlette.types import ASGIApp


class Client:
    """One request after the other, in an event loop that the clients of a machine share."""

    def __init__(self, runner: asyncio.Runner, app: ASGIApp, headers: Mapping[str, str] | None = None) -> None:
        self._runner = runner
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url="https://fleet", headers=headers)

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """A request, and its answer."""
        return self._runner.run(self._client.request(method, path, **more))

    def get(self, path: str, **more: Any) -> httpx.Response:
        """GET."""
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        """POST."""
        return self.request("POST", path, **more)

    def put(self, path: str, **more: Any) -> httpx.Response:
        """PUT."""
        return self.request("PUT", path, **more)

    def delete(self, path: str, **more: Any) -> httpx.Response:
        """DELETE."""
        return self.request("DELETE", path, **more)
