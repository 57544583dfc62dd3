"""What goes over the wire."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from gpu_fleet.inventory import MAX_GPUS, GpuType
from gpu_fleet.reservations import Operation, Reason, State, WorkloadState

IMAGE = r"^[a-z0-9][A-Za-z0-9._/:@-]{0,254}$"


class ReservationRequest(BaseModel):
    """Body of POST /v1/reservations."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    instance: Annotated[
        UUID, Field(description="Whose reservation it is; an instance has one at most, and one that replaces it")
    ]
    gpu_type: GpuType
    gpu_count: Annotated[int, Field(ge=1, le=MAX_GPUS, strict=True, description="All of one node")]
    replaces: Annotated[
        UUID | None, Field(description="The one that the instance has, to be released when this one is in its place")
    ] = None


class StorageRequest(BaseModel):
    """Body of POST /v1/reservations/{id}/storage."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    size_gib: Annotated[int, Field(ge=1, le=65_536, strict=True)]


class WorkloadRequest(BaseModel):
    """Body of POST /v1/reservations/{id}/workload."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    image: Annotated[str, Field(pattern=IMAGE, description="What is run, with all GPUs of the reservation")]


class Finding(BaseModel):
    """An error of a GPU; ``code`` is the XID, ``kind`` ecc for those of its memory."""

    gpu: str
    kind: Literal["xid", "ecc"]
    code: int
    detail: str


class Health(BaseModel):
    """What the last look at the GPUs found: a verification, or an error while they ran."""

    state: Literal["healthy", "unhealthy"]
    checked_at: datetime
    findings: list[Finding]


class Storage(BaseModel):
    """The storage of a reservation."""

    size_gib: int
    state: Literal["attaching", "attached"]


class Workload(BaseModel):
    """What runs on the GPUs; as soon as it changes, the reservation says how it does."""

    image: str
    state: Annotated[WorkloadState, Field(description="crashed: it has ended by itself, and is not started again")]
    since: datetime


class Reservation(BaseModel):
    """GPUs of one node for one instance. Its ETag changes with everything that happens to it."""

    id: UUID
    instance: UUID
    gpu_type: GpuType
    gpu_count: int
    node: str
    gpus: Annotated[list[str], Field(description="Their UUIDs")]
    state: State
    reason: Annotated[Reason | None, Field(description="Why it failed")]
    operation: Annotated[Operation | None, Field(description="What is being done; null when it has ended")]
    storage: Storage | None
    health: Health | None
    workload: Annotated[Workload | None, Field(description="null: none; what does not run has none")]
    replaces: Annotated[UUID | None, Field(description="The reservation whose place it takes")]
    created_at: datetime
    updated_at: datetime


class ReservationList(BaseModel):
    """Reservations."""

    items: list[Reservation]


class GpuState(StrEnum):
    """What a GPU is to who wants one."""

    FREE = "free"
    RESERVED = "reserved"
    FAULTY = "faulty"


class Gpu(BaseModel):
    """A GPU. One that has an error is faulty, also while it is reserved."""

    uuid: str
    serial: str
    state: GpuState
    reservation: UUID | None
    findings: list[Finding]


class Node(BaseModel):
    """A machine with GPUs of one type."""

    name: str
    serial: str
    gpu_type: GpuType
    state: Literal["ready", "lost"]
    gpus: list[Gpu]


class NodeList(BaseModel):
    """Nodes, by name."""

    items: list[Node]


class Capacity(BaseModel):
    """The GPUs of a type: ``total`` is the sum of the next three, ``largest`` what one reservation can have at most."""

    gpu_type: GpuType
    total: int
    free: int
    reserved: int
    unavailable: Annotated[int, Field(description="Not reserved, and faulty or on a node that is lost")]
    largest: int


class CapacityList(BaseModel):
    """Capacity, by type."""

    items: list[Capacity]


class Problem(BaseModel):
    """RFC 9457 with a stable ``code``."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str
    errors: list[dict[str, Any]] = []
