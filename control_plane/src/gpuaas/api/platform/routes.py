"""``GET /v1/platform`` for who runs the platform, ``GET /v1/notices`` for tenants."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from gpuaas.api.caller import Caller, platform, reader
from gpuaas.api.platform.models import NoticeList, PlatformStatus
from gpuaas.api.platform.notices import notices
from gpuaas.api.routes import ANY_ERROR, Its, Project

router = APIRouter(prefix="/v1", responses=ANY_ERROR)


@router.get("/platform", dependencies=[Depends(platform)])
async def platform_status(its: Its) -> PlatformStatus:
    """Workers and what they did last, outbox, streams, dead letters and fleet, each with its age. Needs role platform."""
    return await its.platform.now()


@router.get("/notices")
async def list_notices(caller: Annotated[Caller, Depends(reader)], its: Its, project: Project = None) -> NoticeList:
    """What a project should know now, in sentences: that things take longer, that a step of an instance could not be done."""
    name = caller.project(project)
    return NoticeList(project=name, items=await notices(its.platform, name))
