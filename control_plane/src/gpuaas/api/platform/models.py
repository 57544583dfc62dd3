"""What goes over the wire."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from gpuaas.reporting import documents


class Reported[T](BaseModel):
    """What a worker said, and when. What is stale may be otherwise by now."""

    reported_at: datetime
    age_seconds: float
    stale: Annotated[bool, Field(description="Nothing was said for longer than it should have been")]
    report: T


class WorkerState(StrEnum):
    """Works; waits for what it says is missing; or has not reported for a while."""

    WORKING = "working"
    WAITING = "waiting"
    SILENT = "silent"


class Worker(Reported[documents.Worker]):
    """A worker's last report; a worker is in the list once it has reported."""

    state: WorkerState


class Outbox(BaseModel):
    """Events that the database has and the stream has not, as of now."""

    waiting: int
    oldest_seconds: Annotated[float, Field(description="How long the oldest of them has waited; 0 when there is none")]
    late: Annotated[bool, Field(description="It does not wait for its turn any more")]
    published_last_minute: int


class Instances(BaseModel):
    """The instances of all projects in one state, and the GPUs that they asked for."""

    state: str
    count: int
    gpus: int
    oldest_seconds: Annotated[float, Field(description="How long ago the first of them was asked for")]


class PlatformStatus(BaseModel):
    """How the platform does. A part is null while no worker has reported it: in a lane without workers, all of them are."""

    time: datetime
    workers: list[Worker]
    outbox: Outbox
    instances: list[Instances]
    streams: Reported[documents.Streams] | None
    dead_letters: Reported[documents.DeadLetters] | None
    fleet: Reported[documents.Fleet] | None
    journal: Reported[documents.Journal] | None


class Notice(BaseModel):
    """Something that a tenant should know; about one instance, or about all."""

    instance_id: UUID | None
    sentence: str


class NoticeList(BaseModel):
    """What a project should know now; usually nothing."""

    project: str
    items: list[Notice]
