"""The part of Infisical's HTTP API that its SDK calls for us: two log-ins, and one secret by its name.

Routes and shapes are those of Infisical's API v1 (auth) and v3 (raw secrets).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

PROJECT, PROJECT_ID, ENVIRONMENT, FOLDER = (
    "gpuaas",
    "3f2b6c1e-8a4d-4f43-9d0e-7b1a2c3d4e5f",
    "production",
    "/control-plane",
)
IDENTITY_ID, SERVICE_ACCOUNT_TOKEN = "identity-1", "header.claims.signature-of-the-cluster"
CLIENT_ID, CLIENT_SECRET = "client-1", "client-secret-1"
ACCESS_TOKEN = "access-token-of-infisical"


@dataclass
class Infisical:
    """What it holds, whom it lets see what, and a fault to switch on; ``asked`` is what was asked so far."""

    secrets: dict[str, Any] = field(default_factory=dict)
    forbidden: set[str] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)
    fault: str = ""
    asked: list[str] = field(default_factory=list)

    def app(self) -> Starlette:
        """The endpoints."""
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        return Starlette(
            routes=[
                Route("/api/v1/auth/oidc-auth/login", self._oidc, methods=["POST"]),
                Route("/api/v1/auth/universal-auth/login", self._universal, methods=["POST"]),
                Route("/api/v3/secrets/raw/{name}", self._secret),
                Route("/elsewhere", self._elsewhere, methods=["GET", "POST"]),
            ]
        )

    async def _oidc(self, request: Request) -> Response:
        return self._log_in("oidc", await request.json() == {"identityId": IDENTITY_ID, "jwt": SERVICE_ACCOUNT_TOKEN})

    async def _universal(self, request: Request) -> Response:
        given = await request.json()
        return self._log_in("universal", given == {"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET})

    def _log_in(self, method: str, right: bool) -> Response:
        self.asked.append(method)
        if fault := self._faulty():
            return fault
        if not right:
            return _error(401, "Unauthorized")
        return JSONResponse(
            {"accessToken": ACCESS_TOKEN, "expiresIn": 7200, "accessTokenMaxTTL": 7200, "tokenType": "Bearer"}
        )

    async def _secret(self, request: Request) -> Response:
        name, query = request.path_params["name"], request.query_params
        self.asked.append(name)
        if fault := self._faulty():
            return fault
        if request.headers.get("authorization") != f"Bearer {ACCESS_TOKEN}":
            return _error(401, "Token missing")
        right_project = query.get("workspaceSlug") == PROJECT or query.get("workspaceId") == PROJECT_ID
        if name in self.forbidden:
            return _error(403, f"You are not allowed to read {self.secrets[name]}")
        if not right_project or (query["environment"], query["secretPath"]) != (ENVIRONMENT, FOLDER):
            return _error(404, "Folder not found")
        if name not in self.secrets:
            return _error(404, f"Secret with name '{name}' not found")
        return JSONResponse({"secret": self._document(name)})

    def _document(self, name: str) -> dict[str, Any]:
        hidden = name in self.hidden
        return {
            "id": "0c7f3b1a-0000-4000-8000-000000000001",
            "_id": "0c7f3b1a-0000-4000-8000-000000000001",
            "workspace": PROJECT_ID,
            "environment": ENVIRONMENT,
            "version": 1,
            "type": "shared",
            "secretKey": name,
            "secretValue": "<hidden-by-infisical>" if hidden else self.secrets[name],
            "secretComment": "",
            "secretValueHidden": hidden,
            "secretPath": FOLDER,
            "createdAt": "2026-01-01T00:00:00.000Z",
            "updatedAt": "2026-01-01T00:00:00.000Z",
            "tags": [],
        }

    async def _elsewhere(self, request: Request) -> Response:
        self.asked.append("elsewhere")
        return JSONResponse({})

    def _faulty(self) -> Response | None:
        match self.fault:
            case "not json":
                return PlainTextResponse("welcome")
            case "other json":
                return JSONResponse({"hello": "world"})
            case "redirect":
                return RedirectResponse("/elsewhere", 307)
            case "":
                return None
        return _error(int(self.fault), "out of order")


def _error(status: int, message: str) -> Response:
    return JSONResponse(
        {"reqId": "req-1", "statusCode": status, "message": message, "error": HTTPStatus(status).phrase}, status
    )
