"""OpenAPI documents of the two APIs, as they are committed."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

BEARER = {"bearer": {"type": "http", "scheme": "bearer"}}


def document(app: FastAPI, problem: type[BaseModel], *, bearer: bool) -> None:
    """Let ``app`` publish what it answers: problems in place of FastAPI's own validation errors, and its bearer token."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            found = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            for operations in found["paths"].values():
                for operation in operations.values():
                    operation["responses"].pop("422", None)
            schemas = found["components"]["schemas"]
            for name in ("HTTPValidationError", "ValidationError"):
                schemas.pop(name, None)
            schemas["Problem"] = problem.model_json_schema(ref_template="#/components/schemas/{model}")
            if bearer:
                found["components"]["securitySchemes"] = BEARER
                found["security"] = [{"bearer": []}]
            app.openapi_schema = found
        return app.openapi_schema

    app.__dict__["openapi"] = openapi
