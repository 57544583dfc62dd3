"""The routes under /v1."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Response

from gpuaas.api.caller import Caller, authenticated, operator, platform, reader
from gpuaas.api.models import (
    Configuration,
    Instance,
    InstanceDetail,
    InstanceList,
    InstanceRequest,
    Me,
    ProblemDocument,
    Timeline,
)
from gpuaas.api.problems import MEDIA_TYPE, ProblemError
from gpuaas.api.resources import Resources, resources

MAX_KEY_LENGTH = 255
MAX_POSITION = 2**63 - 1

type Its = Annotated[Resources, Depends(resources)]
type Project = Annotated[str | None, Query(min_length=1, max_length=255, description="Default: the only one")]


def problem(description: str) -> dict[str, Any]:
    """An error as the API's document has it."""
    return {"description": description, "model": ProblemDocument, "content": {MEDIA_TYPE: {}}}


def idempotency_key(
    given: Annotated[
        str | None, Header(alias="Idempotency-Key", description="Required: unique for each intent, e.g. a UUID")
    ] = None,
) -> str:
    """The key of a request that must not happen twice. Raises ProblemError."""
    key = (given or "").strip()
    if not key:
        raise ProblemError(400, "idempotency_key_missing", "Send an Idempotency-Key header, e.g. a UUID.")
    if len(key) > MAX_KEY_LENGTH or not key.isascii() or not key.isprintable():
        raise ProblemError(
            400, "invalid_request", f"Idempotency-Key is not 1-{MAX_KEY_LENGTH} printable ASCII characters."
        )
    return key


ANY_ERROR: dict[int | str, dict[str, Any]] = {
    # FastAPI would list 422 otherwise, which is never sent.
    "default": problem("Any other error"),
    400: problem("Not valid; errors says where"),
    401: problem("No token, or one that is refused"),
    403: problem("Role or project is missing"),
    429: problem("Too many requests"),
    503: problem("A dependency does not answer"),
}
router = APIRouter(prefix="/v1", responses=ANY_ERROR)


@router.post(
    "/instances",
    status_code=201,
    responses={
        200: {"model": Instance, "description": "The same request was made before; this is its answer"},
        201: {"model": Instance, "description": "Requested"},
        400: problem("Not valid, or without Idempotency-Key"),
        403: problem("Role or project is missing, or the project's quota does not allow it"),
        409: problem("The key was used for another request, or what is private is sealed under an epoch that is over"),
    },
)
async def create_instance(
    request: InstanceRequest,
    caller: Annotated[Caller, Depends(operator)],
    its: Its,
    key: Annotated[str, Depends(idempotency_key)],
) -> Response:
    """Ask for an instance. The same key and body again get the same answer, and no second instance."""
    project = caller.project(request.project)
    created = await its.store.create(caller.subject, key, project, request)
    if not created.replayed:
        await its.cache.invalidate(project)
    headers = {"Location": f"/v1/instances/{created.instance_id}"}
    if created.replayed:
        headers["Idempotency-Replayed"] = "true"
    return Response(created.body, 200 if created.replayed else 201, headers, "application/json")


@router.get("/instances", response_model=InstanceList)
async def list_instances(
    caller: Annotated[Caller, Depends(reader)],
    its: Its,
    project: Project = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: UUID | None = None,
) -> Response:
    """The instances of a project, newest first."""
    name = caller.project(project)
    slot = await its.cache.slot(name, limit, after)
    page = await its.cache.get(slot)
    if page is not None:
        return Response(page, 200, {"X-Cache": "hit"}, "application/json")
    items, following = await its.store.page(name, limit, after)
    page = InstanceList(project=name, items=items, next=following).model_dump_json()
    await its.cache.put(slot, page)
    return Response(page, 200, {"X-Cache": "miss"}, "application/json")


@router.get("/instances/{instance_id}", responses={404: problem("Not there, or not yours")})
async def get_instance(instance_id: UUID, caller: Annotated[Caller, Depends(reader)], its: Its) -> InstanceDetail:
    """One instance."""
    return await its.store.get(caller.projects, instance_id)


@router.get("/instances/{instance_id}/timeline", responses={404: problem("Not there, or not yours")})
async def instance_timeline(
    instance_id: UUID,
    caller: Annotated[Caller, Depends(reader)],
    its: Its,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: Annotated[int, Query(ge=0, le=MAX_POSITION)] = 0,
) -> Timeline:
    """What happened to an instance, oldest first; also to one that was deleted."""
    items, following = await its.timeline.page(caller.projects, instance_id, limit, after)
    return Timeline(items=items, next=following)


@router.delete("/instances/{instance_id}", status_code=204, responses={404: problem("Not there, or not yours")})
async def delete_instance(instance_id: UUID, caller: Annotated[Caller, Depends(operator)], its: Its) -> None:
    """Delete an instance."""
    instance = await its.store.delete(caller.subject, caller.projects, instance_id)
    await its.cache.invalidate(instance.project)


@router.get("/me")
async def me(caller: Annotated[Caller, Depends(authenticated)]) -> Me:
    """Who the token says you are, and what you may do."""
    return Me(
        subject=caller.subject, username=caller.username, roles=sorted(caller.roles), projects=list(caller.projects)
    )


@router.get("/configuration", dependencies=[Depends(platform)])
async def configuration(its: Its) -> Configuration:
    """Names, types and digests of the process's settings, names and digests of its secrets; no value."""
    return Configuration.model_validate(its.configuration)
