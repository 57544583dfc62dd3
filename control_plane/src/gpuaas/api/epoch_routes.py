"""The routes of a project's epochs: members sign them, the platform keeps them and tells everybody who may read the project."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from gpuaas.api import models
from gpuaas.api.caller import Caller, operator, reader
from gpuaas.api.routes import ANY_ERROR, Its, Project, problem

router = APIRouter(prefix="/v1", responses=ANY_ERROR)


@router.get("/epochs")
async def project_epochs(
    caller: Annotated[Caller, Depends(reader)], its: Its, project: Project = None
) -> models.Epochs:
    """The records of a project's epochs. Do not believe them: verify them against a pin."""
    return await its.epochs.of(caller.project(project))


@router.post("/epochs", status_code=201, responses={409: problem("Another epoch was first")})
async def begin_epoch(
    request: models.EpochRequest, caller: Annotated[Caller, Depends(operator)], its: Its
) -> models.Epoch:
    """Begin an epoch, with a record that a member signed. The same record again gets the same answer."""
    return await its.epochs.begin(caller.project(request.project), request.record)
