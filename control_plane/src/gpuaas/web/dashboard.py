"""A project as it lives, and what its page's script asks for besides: what is sealed, epochs and devices.

The script opens what is sealed, with keys that never leave the browser; what it sends are records that it signed.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from gpuaas.web import overview, visitor
from gpuaas.web.api_client import ApiProblemError
from gpuaas.web.instances import PLATFORM, project_of
from gpuaas.web.rendering import page
from gpuaas.web.resources import resources

_NO_STORE = {"Cache-Control": "no-store"}


async def show(request: Request) -> Response:
    """The page of a project."""
    who = await visitor.required(request)
    its = resources(request)
    me = await visitor.ask(request, who, its.api.me)
    project = project_of(request.query_params.get("project"), me)
    if project is None:
        # Says what is missing.
        return RedirectResponse("/", 303)
    seen = await visitor.ask(request, who, lambda token: its.api.overview(token, project))
    return page(
        "dashboard.html",
        user=who.session.username,
        csrf_token=who.session.csrf_token,
        operates=PLATFORM in me["roles"],
        here="dashboard",
        projects=me["projects"],
        project=project,
        may_write="operator" in me["roles"],
        **overview.shown(seen),
    )


async def sealed(request: Request) -> Response:
    """What is sealed for a project's members, its epochs, and the devices that ask to be members."""
    who = await visitor.required(request)
    api, project = resources(request).api, request.query_params.get("project", "")
    try:
        found = {
            name: await visitor.ask(request, who, lambda token, ask=ask: ask(token, project))  # type: ignore[misc]
            for name, ask in (("envelopes", api.envelopes), ("epochs", api.epochs), ("devices", api.devices))
        }
    except ApiProblemError as problem:
        return _refused(problem)
    return JSONResponse(found, headers=_NO_STORE)


async def begin_epoch(request: Request) -> Response:
    """Pass on a record that a member signed."""
    return await _passed_on(request, "record", resources(request).api.begin_epoch)


async def ask_for_device(request: Request) -> Response:
    """Pass on the public keys of a device."""
    return await _passed_on(request, "public", resources(request).api.ask_for_device)


async def _passed_on(request: Request, name: str, send: Any) -> Response:
    who, given = await visitor.with_json(request)
    try:
        answer = await visitor.ask(
            request, who, lambda token: send(token, {"project": given.get("project"), name: given.get(name)})
        )
    except ApiProblemError as problem:
        return _refused(problem)
    return JSONResponse(answer, 201, _NO_STORE)


def _refused(problem: ApiProblemError) -> Response:
    if problem.status == 401:
        raise problem
    return JSONResponse({"code": problem.code, "detail": problem.detail}, problem.status, _NO_STORE)
