"""``GET /v1/dashboard``, ``/v1/envelopes``, ``/v1/devices`` and ``…/open``: a project for its members, and nothing of another."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from gpuaas.api.caller import Caller, reader
from gpuaas.api.dashboard.models import (
    Device,
    DeviceList,
    DeviceRequest,
    OpenRequest,
    Overview,
    Sealed,
    SealedList,
)
from gpuaas.api.routes import ANY_ERROR, Its, Project, problem
from gpuaas.encryption.dashboard import SealedEnvelope
from gpuaas.encryption.member import Member
from gpuaas.encryption.refusal import RefusedError

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


@router.post(
    "/instances/{instance_id}/open",
    responses={
        403: problem("The server does not open it here, or not for you, or not without a purpose"),
        404: problem("Not there, or not yours, or nothing private of it"),
        503: problem("The KMS that holds the root key does not do what it is asked"),
    },
)
async def open_instance(instance_id: UUID, request: OpenRequest, caller: Reader, its: Its) -> Sealed:
    """What is private of an instance, opened. In STAGING for the role decryptor and a purpose, after an event that says so."""
    found = await its.envelopes.one(caller, instance_id, request.purpose)
    if isinstance(found.content, SealedEnvelope):
        raise RefusedError(found.content.reason, f"what is private of instance {instance_id} stays sealed")
    return found


@router.get("/devices")
async def project_devices(caller: Reader, its: Its, project: Project = None) -> DeviceList:
    """Devices that asked to be members. Do not believe it: compare the thumbprint with what the device itself shows."""
    return await its.devices.waiting(caller.project(project))


@router.post("/devices", status_code=201, responses={409: problem("Too many have asked")})
async def ask_for_device(request: DeviceRequest, caller: Reader, its: Its) -> Device:
    """Ask that a device of yours be a member. It is one once a member has signed an epoch with it; in LOCAL that is at once."""
    project = caller.project(request.project)
    device = await its.devices.ask(caller.username, project, request.public)
    await its.escrow.admit(project, Member.of(request.public))
    return device
