"""What goes over the wire of the simulation's API."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from gpu_fleet.settings import MAX_SPEED
from gpu_fleet.simulation.faults import Fault

IDENTITY = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"


class FaultSet(BaseModel):
    """A fault that is set."""

    id: str
    source: Annotated[str, Field(description="api or file; what the file sets, only the file takes back")]
    fault: Fault
    hits: Annotated[int, Field(description="How often it has happened")]
    gpu: Annotated[str | None, Field(description="The GPU that it has struck")]


class FaultList(BaseModel):
    """The faults that are set, and why the file is not followed where it is not."""

    items: list[FaultSet]
    file_problem: str | None


class Clock(BaseModel):
    """How many times as fast as real time the fleet's passes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    speed: Annotated[float, Field(ge=0.01, le=MAX_SPEED)]


class Effect(BaseModel):
    """An effect: a command that was accepted, an operation that ended, or what befell a reservation."""

    number: int
    at: datetime
    reservation: UUID
    instance: UUID
    effect: str


class Ledger(BaseModel):
    """Effects in their order; ``next`` is what to pass as ``after`` where there are more."""

    items: list[Effect]
    next: int | None
