"""The routes that stop, start and resize an instance, and the one that tells a project's quota."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from gpuaas.api.caller import Caller, operator, reader
from gpuaas.api.idempotency import Answer
from gpuaas.api.models import Instance, Quota, ResizeRequest
from gpuaas.api.operations import Asker
from gpuaas.api.routes import ANY_ERROR, Its, Project, idempotency_key, problem

router = APIRouter(prefix="/v1", responses=ANY_ERROR)
_ACCEPTED: dict[int | str, dict[str, Any]] = {
    200: {"model": Instance, "description": "The same request was made before; this is its answer"},
    202: {"model": Instance, "description": "Accepted"},
    400: problem("Not valid, or without Idempotency-Key"),
    404: problem("Not there, or not yours"),
}
_WRONG_STATE = problem("Not possible in this state, or the key was used for another request")
_QUOTA = problem("Role or project is missing, or the project's quota does not allow it")

type Operator = Annotated[Caller, Depends(operator)]
type Key = Annotated[str, Depends(idempotency_key)]


@router.post("/instances/{instance_id}/stop", status_code=202, responses={**_ACCEPTED, 409: _WRONG_STATE})
async def stop_instance(instance_id: UUID, caller: Operator, its: Its, key: Key) -> Response:
    """Stop a running instance. Its GPUs are given back and no longer count for the quota."""
    answer = await its.operations.stop(Asker(caller.subject, key, caller.projects), instance_id)
    return await _accepted(its, answer)


@router.post("/instances/{instance_id}/start", status_code=202, responses={**_ACCEPTED, 403: _QUOTA, 409: _WRONG_STATE})
async def start_instance(instance_id: UUID, caller: Operator, its: Its, key: Key) -> Response:
    """Start a stopped instance, with new GPUs. Where there are none it stays stopped, and says why."""
    answer = await its.operations.start(Asker(caller.subject, key, caller.projects), instance_id)
    return await _accepted(its, answer)


@router.patch("/instances/{instance_id}", status_code=202, responses={**_ACCEPTED, 403: _QUOTA, 409: _WRONG_STATE})
async def resize_instance(instance_id: UUID, request: ResizeRequest, caller: Operator, its: Its, key: Key) -> Response:
    """Give an instance another number of GPUs. A running one moves to new ones, or stays as it was and says why."""
    answer = await its.operations.resize(Asker(caller.subject, key, caller.projects), instance_id, request.gpu_count)
    return await _accepted(its, answer)


@router.get("/quota")
async def project_quota(caller: Annotated[Caller, Depends(reader)], its: Its, project: Project = None) -> Quota:
    """How many GPUs a project uses and may use."""
    return await its.store.quota(caller.project(project))


async def _accepted(its: Its, answer: Answer) -> Response:
    headers = {"Location": f"/v1/instances/{answer.instance_id}"}
    if answer.replayed:
        return Response(answer.body, 200, {**headers, "Idempotency-Replayed": "true"}, "application/json")
    await its.cache.invalidate(Instance.model_validate_json(answer.body).project)
    return Response(answer.body, 202, headers, "application/json")
