"""A reservation as the fleet answers it; what is not as its contract says is no answer."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import BaseModel


class Storage(BaseModel):
    """What is attached, or about to be."""

    state: Literal["attaching", "attached"]


class Finding(BaseModel):
    """An error of a GPU."""

    gpu: str
    kind: Literal["xid", "ecc"]
    code: int


class Health(BaseModel):
    """What the last look at the GPUs found."""

    state: Literal["healthy", "unhealthy"]
    findings: list[Finding]


class Workload(BaseModel):
    """What runs on the GPUs, and how it does."""

    image: str
    state: Literal["deploying", "healthy", "unhealthy", "crashed", "removing"]


class Reservation(BaseModel):
    """GPUs of one node for one instance. ``operation`` is what is being done to it, null when that has ended."""

    id: UUID
    instance: UUID
    node: str
    gpus: list[str]
    state: Literal["reserved", "starting", "running", "stopping", "stopped", "failed", "releasing", "released"]
    reason: str | None
    operation: str | None
    storage: Storage | None
    health: Health | None
    replaces: UUID | None
    workload: Workload | None


class Seen(BaseModel):
    """A reservation, and the ETag that a write must name: the fleet refuses one who decides by an older reading."""

    reservation: Reservation
    etag: str


class Reservations(BaseModel):
    """Several, without their ETags."""

    items: list[Reservation]
