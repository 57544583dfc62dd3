"""What goes over the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from gpuaas.api.models import TimelineEntry
from gpuaas.encryption.dashboard import DashboardEnvelope
from gpuaas.encryption.security import MemberKeys, SecurityMode


class Fleet(BaseModel):
    """The project's instances of a GPU type that are in one state, and their GPUs."""

    gpu_type: str
    state: str
    instances: int
    gpus: int


class Lag(BaseModel):
    """The project's events that are not published yet, and how long the oldest of them has waited."""

    waiting: int
    oldest_seconds: float


class Journal(BaseModel):
    """The project's chain: its newest entry, and how far a reader found it whole from the one after ``start`` on."""

    start: int
    number: int
    verified: int
    faults: list[str]
    waiting: Annotated[int, Field(description="The project's events that are not in it yet")]
    behind_since: Annotated[datetime | None, Field(description="Since when events are not in it; nothing waits for it")]
    age_seconds: Annotated[float, Field(description="How old the report is that says so")]
    stale: bool


class EpochSeen(BaseModel):
    """The newest epoch that the server knows; members compare the digest."""

    number: int
    digest: str


class SecuritySeen(BaseModel):
    """In which security mode the server that answers runs, and where the private keys of members lie."""

    mode: SecurityMode
    member_keys: MemberKeys


class Overview(BaseModel):
    """How a project stands, as of ``time``; the stream goes on after ``position``. A part is null where nobody reports it."""

    project: str
    time: datetime
    security: SecuritySeen
    fleet: list[Fleet]
    outbox: Lag
    journal: Journal | None
    epoch: EpochSeen | None
    position: int
    entries: Annotated[list[TimelineEntry], Field(description="The newest first")]


class Sealed(BaseModel):
    """What is private of an instance, as this caller may have it from the server."""

    instance_id: UUID
    name: str
    content: DashboardEnvelope


class SealedList(BaseModel):
    """Of the newest instances that have something private."""

    project: str
    items: list[Sealed]


class OpenRequest(BaseModel):
    """Body of POST /v1/instances/{id}/open."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    purpose: Annotated[
        str,
        Field(max_length=200, description="What for, where the security mode asks; it becomes part of an audit event"),
    ] = ""


class Device(BaseModel):
    """A device that wants to be a member: its public keys. Who signs it in compares ``kid`` with what the device shows."""

    kid: str
    name: str
    public: dict[str, Any]
    created_at: datetime


class DeviceList(BaseModel):
    """Devices that asked within a day, the oldest first."""

    project: str
    items: list[Device]


class DeviceRequest(BaseModel):
    """Body of POST /v1/devices."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    project: Annotated[str | None, Field(min_length=1, max_length=255, description="Default: the only one")] = None
    public: Annotated[dict[str, Any], Field(description="name, sign and agree, as a record of an epoch has it")]
