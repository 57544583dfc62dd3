"""Nodes and capacity as the fleet answers them."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import BaseModel


class Gpu(BaseModel):
    """One that has an error is faulty, also while it is reserved."""

    state: Literal["free", "reserved", "faulty"]
    reservation: UUID | None


class Node(BaseModel):
    """A machine with GPUs of one type."""

    name: str
    gpu_type: str
    state: Literal["ready", "lost"]
    gpus: list[Gpu]


class Nodes(BaseModel):
    """Every machine."""

    items: list[Node]


class Capacity(BaseModel):
    """The GPUs of a type."""

    gpu_type: str
    total: int
    free: int
    reserved: int
    unavailable: int
    largest: int


class Capacities(BaseModel):
    """Every type."""

    items: list[Capacity]
