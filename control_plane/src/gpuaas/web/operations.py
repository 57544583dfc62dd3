"""The forms of an instance's page: stop, start and resize it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gpuaas.web import instances, visitor
from gpuaas.web.api_client import ApiClient, ApiProblemError
from gpuaas.web.resources import resources

# What the API says no to, and the page as it is now shows why.
REFUSALS = ("wrong_state", "quota_exceeded", "idempotency_conflict", "invalid_request")

type Call = Callable[[ApiClient, str, str, str, FormData], Awaitable[dict[str, Any]]]


async def stop(request: Request) -> Response:
    """Stop an instance."""
    return await _send(request, lambda api, token, identity, key, _form: api.operate(token, identity, "stop", key))


async def start(request: Request) -> Response:
    """Start an instance."""
    return await _send(request, lambda api, token, identity, key, _form: api.operate(token, identity, "start", key))


async def resize(request: Request) -> Response:
    """Give an instance another number of GPUs."""
    return await _send(
        request,
        lambda api, token, identity, key, form: api.resize(
            token, identity, key, instances.number(str(form.get("gpu_count", "")))
        ),
    )


async def _send(request: Request, call: Call) -> Response:
    """Ask for it once, however often the form is sent, and show the instance again."""
    who, form = await visitor.with_form(request)
    api = resources(request).api
    identity = str(request.path_params["instance_id"])
    key = instances.key(form.get("idempotency_key"))
    try:
        await visitor.ask(request, who, lambda token: call(api, token, identity, key, form))
    except ApiProblemError as problem:
        if problem.code not in REFUSALS:
            raise
        return await instances.one(request, who, problem.status, [problem.detail])
    return RedirectResponse(f"/instances/{identity}", 303)
