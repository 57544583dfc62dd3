"""The instances of a project, one instance, and what their forms do."""

from __future__ import annotations

import logging
import uuid
from datetime import datetime
from typing import Any

from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gpuaas.web import notices, visitor
from gpuaas.web.api_client import ApiProblemError, ApiUnavailableError
from gpuaas.web.rendering import page
from gpuaas.web.resources import resources
from gpuaas.web.visitor import Visitor

GPU_TYPES = ("H100", "A100", "L40S")
GPU_COUNTS = range(1, 9)
WORKLOADS = ("notebook", "inference")
# How a workload does, in a tenant's words.
DOES = {
    "pending": "is being deployed",
    "deployed": "is being deployed",
    "healthy": "answers",
    "unhealthy": "does not answer",
    "removing": "is being removed",
    "removed": "was removed",
}
# Why an instance failed, in a tenant's words; the API's reason is stable.
REASONS = {
    "no_capacity": "not so many GPUs of this type are free",
    "unhealthy": "the GPUs had errors",
    "node_lost": "the machine was lost",
    "capacity_gone": "the GPUs did not come up",
    "reservation_lost": "the GPUs were lost",
}
PLATFORM = "platform"
_log = logging.getLogger(__name__)
_EMPTY = {"name": "", "gpu_type": GPU_TYPES[0], "gpu_count": "1", "workload": ""}


async def home(request: Request) -> Response:
    """Landing page, or the instances of a project."""
    who = await visitor.find(request)
    if who is None:
        return page("landing.html")
    return await _overview(request, who)


async def create(request: Request) -> Response:
    """Ask for an instance; a form that is sent twice asks once."""
    who, form = await visitor.with_form(request)
    values = {name: str(form.get(name, "")) for name in ("name", "gpu_type", "gpu_count", "workload", "project")}
    body = {
        "name": values["name"].strip(),
        "gpu_type": values["gpu_type"],
        "gpu_count": number(values["gpu_count"]),
        "workload": values["workload"] or None,
        "project": values["project"] or None,
    }
    its = resources(request)
    sent = key(form.get("idempotency_key"))
    try:
        instance = await visitor.ask(request, who, lambda token: its.api.create(token, sent, body))
    except ApiUnavailableError as error:
        _log.warning("the answer to a request was lost", extra={"fields": {"cause": str(error)}})
        return _again(who, values, sent, "The API's answer was lost.")
    except ApiProblemError as problem:
        if problem.status >= 500 or problem.status == 429:
            return _again(who, values, sent, problem.detail)
        if problem.code not in ("invalid_request", "idempotency_conflict", "quota_exceeded"):
            raise
        # A key that was used asks for nothing any more.
        status = 403 if problem.code == "quota_exceeded" else 400
        return await _overview(request, who, status, values, _faults(problem))
    await its.sessions.flash(who.session_id, f"Instance {instance['name']} is requested.")
    return RedirectResponse(_address(instance["project"]), 303)


async def delete(request: Request) -> Response:
    """Delete an instance; one that is gone already is as good."""
    who, form = await visitor.with_form(request)
    its = resources(request)
    message = "The instance is deleted."
    try:
        await visitor.ask(request, who, lambda token: its.api.delete(token, request.path_params["instance_id"]))
    except ApiProblemError as problem:
        if problem.code != "not_found":
            raise
        message = "The instance was gone already."
    await its.sessions.flash(who.session_id, message)
    return RedirectResponse(_address(str(form.get("project", ""))), 303)


async def show(request: Request) -> Response:
    """One instance, and what happened to it."""
    return await one(request, await visitor.required(request))


async def one(request: Request, who: Visitor, status: int = 200, faults: list[str] | None = None) -> Response:
    """The page of the request's instance, with what its forms offer in its state, and why the last one was refused."""
    its = resources(request)
    identity = str(request.path_params["instance_id"])
    me = await visitor.ask(request, who, its.api.me)
    instance = await visitor.ask(request, who, lambda token: its.api.instance(token, identity))
    timeline = await visitor.ask(request, who, lambda token: its.api.timeline(token, identity))
    quota = await visitor.ask(request, who, lambda token: its.api.quota(token, instance["project"]))
    return page(
        "instance.html",
        status,
        operates=PLATFORM in me["roles"],
        notices=await notices.of(request, who, instance["project"]),
        user=who.session.username,
        csrf_token=who.session.csrf_token,
        instance=_shown(instance),
        may_write="operator" in me["roles"],
        quota=quota,
        # What fits: an instance may also have less than it has.
        sizes=[n for n in GPU_COUNTS if n <= instance["gpu_count"] or n <= _left(quota, instance)],
        idempotency_key=str(uuid.uuid4()),
        faults=faults or [],
        timeline=[{**entry, "shown": _time(entry["time"], seconds=True)} for entry in timeline["items"]],
        more=timeline["next"] is not None,
    )


async def _overview(
    request: Request,
    who: Visitor,
    status: int = 200,
    values: dict[str, str] | None = None,
    faults: list[str] | None = None,
) -> Response:
    its = resources(request)
    me = await visitor.ask(request, who, its.api.me)
    projects: list[str] = me["projects"]
    if PLATFORM in me["roles"] and not projects:
        return RedirectResponse("/platform", 303)
    project = chosen((values or {}).get("project") or request.query_params.get("project"), projects)
    listing: dict[str, Any] = {"items": [], "next": None}
    may_read = reads(me) and project is not None
    quota = None
    if may_read and project:
        quota = await visitor.ask(request, who, lambda token: its.api.quota(token, project))
        after = request.query_params.get("after")
        listing = await visitor.ask(request, who, lambda token: its.api.instances(token, project, after))
    return _page(
        who,
        status,
        projects=projects,
        project=project,
        may_read=may_read,
        may_write="operator" in me["roles"] and project is not None,
        instances=[_shown(item) for item in listing["items"]],
        following=listing["next"],
        quota=quota,
        operates=PLATFORM in me["roles"],
        notices=await notices.of(request, who, project) if may_read and project else [],
        flash=await _flash(request, who),
        faults=faults or [],
        values={**_EMPTY, **(values or {})},
    )


def project_of(asked: str | None, me: dict[str, Any]) -> str | None:
    """The project that somebody asks for or else the first one, of those that they may read."""
    return chosen(asked, me["projects"]) if reads(me) else None


def chosen(asked: str | None, projects: list[str]) -> str | None:
    return asked if asked in projects else next(iter(projects), None)


def reads(me: dict[str, Any]) -> bool:
    return bool({"viewer", "operator"} & set(me["roles"]))


async def _flash(request: Request, who: Visitor) -> str | None:
    """What a form left to be said, once: not to a script, which only looks again (Fetch Metadata, Sec-Fetch-Dest)."""
    if request.headers.get("sec-fetch-dest") == "empty":
        return None
    return await resources(request).sessions.take_flash(who.session_id)


def _shown(instance: dict[str, Any]) -> dict[str, Any]:
    reason = instance.get("reason")
    why = REASONS.get(reason, "the GPUs could not be prepared") if reason else ""
    kept = {"running": "It was not resized", "stopped": "It was not started"}
    explained = f"{kept.get(instance['state'], 'It failed')}: {why}." if why else ""
    does = DOES.get(instance.get("workload_state") or "", "is deployed while the instance runs")
    return {**instance, "created": _time(instance["created_at"]), "why": why, "explained": explained, "does": does}


def _again(who: Visitor, values: dict[str, str], key: str, why: str) -> Response:
    """The form as it was sent, with its key: whether it was heard or not, sending it again asks once."""
    response = _page(
        who,
        503,
        idempotency_key=key,
        project=values["project"],
        may_read=True,
        may_write=True,
        instances=None,
        faults=[f"{why} The instance may have been requested; sending this form again requests it once."],
        values=values,
    )
    response.headers["Retry-After"] = "5"
    return response


def _page(who: Visitor, status: int, **values: Any) -> Response:
    shown = {
        "projects": [],
        "following": None,
        "quota": None,
        "flash": None,
        "idempotency_key": str(uuid.uuid4()),
        **values,
    }
    return page(
        "instances.html",
        status,
        user=who.session.username,
        csrf_token=who.session.csrf_token,
        gpu_types=GPU_TYPES,
        gpu_counts=GPU_COUNTS,
        workloads=WORKLOADS,
        **shown,
    )


def _faults(problem: ApiProblemError) -> list[str]:
    words = {
        "name": "Name: lower-case letters, digits and dashes, at most 63, not beginning or ending with a dash.",
        "gpu_type": f"GPU type: one of {', '.join(GPU_TYPES)}.",
        "gpu_count": f"GPUs: {GPU_COUNTS[0]} to {GPU_COUNTS[-1]}.",
        "workload": f"Workload: none, or one of {', '.join(WORKLOADS)}.",
    }
    return [words.get(item["field"], item["message"]) for item in problem.errors] or [problem.detail]


def _left(quota: dict[str, Any], instance: dict[str, Any]) -> int:
    """How many GPUs an instance may have at most; one that is stopped uses none yet, and is counted when it starts."""
    if instance["state"] == "stopped":
        return GPU_COUNTS[-1]
    return int(quota["gpus_allowed"] - quota["gpus_used"] + instance["gpu_count"])


def number(text: str) -> int | str:
    """What a form has for a number, or what it is instead, for the API to refuse."""
    return int(text) if text.isdecimal() and len(text) < 4 else text


def key(given: object) -> str:
    """The key of a form. Raises ForgedRequestError where it has none of ours."""
    try:
        return str(uuid.UUID(str(given)))
    except ValueError:
        raise visitor.ForgedRequestError from None


def _address(project: str) -> str:
    return str(URL("/").include_query_params(project=project)) if project else "/"


def _time(iso: str, seconds: bool = False) -> str:
    return datetime.fromisoformat(iso).strftime(f"%d %b %Y, %H:%M{':%S' if seconds else ''} UTC")
