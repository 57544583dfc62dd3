"""``GET /v1/dashboard``, ``GET /v1/envelopes`` and ``/v1/devices``: a project for its members, and nothing of another."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from gpuaas.api.caller import Caller, reader
from gpuaas.api.dashboard.models import Device, DeviceList, DeviceRequest, Overview, SealedList
from gpuaas.api.routes import ANY_ERROR, Its, Project, problem

router = APIRouter(prefix="/v1", responses=ANY_ERROR)
type Reader = Annotated[Caller, Depends(reader)]


@router.get("/dashboard")
async def project_dashboard(caller: Reader, its: Its, project: Project = None) -> Overview:
    """How a project stands, and what happened in it last: as of the last second."""
    return await its.overview.of(caller.project(project))


@router.get("/envelopes")
async def project_envelopes(caller: Reader, its: Its, project: Project = None) -> SealedList:
    """What is private of a project's instances: `plain` where the security mode lets the server open it for you, else `sealed`."""
    return await its.envelopes.of(caller, caller.project(project))


@router.get("/devices")
async def project_devices(caller: Reader, its: Its, project: Project = None) -> DeviceList:
    """Devices that asked to be members. Do not believe it: compare the thumbprint with what the device itself shows."""
    return await its.devices.waiting(caller.project(project))


@router.post("/devices", status_code=201, responses={409: problem("Too many have asked")})
async def ask_for_device(request: DeviceRequest, caller: Reader, its: Its) -> Device:
    """Ask that a device of yours be a member. It is one once a member has signed an epoch with it."""
    return await its.devices.ask(caller.username, caller.project(request.project), request.public)
