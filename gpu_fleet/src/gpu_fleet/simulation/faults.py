"""What can go wrong, and what is set to."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

MAX_FAULTS = 200
type Times = Annotated[int | None, Field(ge=1, description="How often it happens; null: until it is taken back")]


class _Fault(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NodeLost(_Fault):
    """The node is gone, with what runs on it, until the fault is taken back."""

    kind: Literal["node_lost"]
    node: str


class NodeSlow(_Fault):
    """Whatever is done on the node takes so many times as long, also what has begun."""

    kind: Literal["node_slow"]
    node: str
    factor: Annotated[float, Field(gt=1, le=1000)]


class NodeFlapping(_Fault):
    """The node is lost, and after a period is back, and so on. The period is in seconds of the fleet's time."""

    kind: Literal["node_flapping"]
    node: str
    period_seconds: Annotated[float, Field(gt=0, le=86_400)]


class GpuError(_Fault):
    """A GPU has an error: that one, or one of the first reservation that runs (of the instance, where one is named)."""

    kind: Literal["gpu_error"]
    error: Annotated[Literal["xid", "ecc"], Field(description="ecc is a double-bit error, XID 48")] = "xid"
    xid: Annotated[int, Field(ge=1, le=200, description="79: the GPU has fallen off the bus")] = 79
    gpu: str | None = None
    instance: UUID | None = None


class CapacityGone(_Fault):
    """Somebody else has the GPUs by the time of the start: it fails with reason capacity_gone."""

    kind: Literal["capacity_gone"]
    instance: UUID | None = None
    times: Times = 1


class WorkloadCrash(_Fault):
    """A workload ends by itself: that of the instance, or the first one that is seen."""

    kind: Literal["workload_crash"]
    instance: UUID | None = None
    times: Times = 1


class WorkloadUnhealthy(_Fault):
    """Workloads do not answer, that of the instance or all of them, until the fault is taken back."""

    kind: Literal["workload_unhealthy"]
    instance: UUID | None = None


class How(StrEnum):
    """What the caller gets in place of an answer whose effect is on the disk."""

    CLOSED = "closed"
    UNAVAILABLE = "unavailable"
    LATE = "late"
    GARBLED = "garbled"


class Asked(StrEnum):
    """What is asked of the fleet."""

    RESERVE = "reserve"
    STORAGE = "storage"
    START = "start"
    VERIFY = "verify"
    DEPLOY = "deploy"
    REMOVE = "remove"
    STOP = "stop"
    RELEASE = "release"
    READ = "read"


class ReplyLost(_Fault):
    """The effect is there and the answer is not: the connection is closed, or it is 503, late, or no JSON."""

    kind: Literal["reply_lost"]
    how: How = How.CLOSED
    operation: Annotated[Asked | None, Field(description="null: of every operation that writes")] = None
    seconds: Annotated[float, Field(ge=0, le=600, description="How late, in real time")] = 0
    share: Annotated[float, Field(gt=0, le=1, description="Of those that fit; which ones follows from the seed")] = 1
    times: Times = 1


type Fault = Annotated[
    NodeLost | NodeSlow | NodeFlapping | GpuError | CapacityGone | WorkloadCrash | WorkloadUnhealthy | ReplyLost,
    Field(discriminator="kind"),
]
ADAPTER: TypeAdapter[Fault] = TypeAdapter(Fault)


@dataclass(frozen=True, slots=True)
class Set:
    """A fault that is set. ``since`` and ``applied`` are the fleet's time; ``gpu`` is the one that it has struck."""

    id: str
    source: str
    fault: Fault
    since: float
    applied: float | None
    asked: int
    hits: int
    gpu: str | None


def every(db: sqlite3.Connection) -> list[Set]:
    """All that are set, the oldest first."""
    return [
        Set(
            id=row["id"],
            source=row["source"],
            fault=ADAPTER.validate_json(row["spec"]),
            since=row["since"],
            applied=row["applied"],
            asked=row["asked"],
            hits=row["hits"],
            gpu=row["gpu"],
        )
        for row in db.execute("SELECT * FROM faults ORDER BY since, id")
    ]


def add(db: sqlite3.Connection, identity: str, source: str, fault: Fault, now: float) -> None:
    """Set one. Raises sqlite3.IntegrityError where one of that id is set."""
    gpu = fault.gpu if isinstance(fault, GpuError) else None
    db.execute(
        "INSERT INTO faults (id, source, spec, since, gpu) VALUES (?, ?, ?, ?, ?)",
        [identity, source, fault.model_dump_json(), now, gpu],
    )


def remove(db: sqlite3.Connection, identity: str) -> None:
    """Take one back."""
    db.execute("DELETE FROM faults WHERE id = ?", [identity])


def applied(db: sqlite3.Connection, its: Set, now: float) -> None:
    """What a node's fault does until ``now`` is done."""
    db.execute("UPDATE faults SET applied = ? WHERE id = ?", [now, its.id])


def struck(db: sqlite3.Connection, its: Set, gpu: str) -> None:
    """It has found its GPU."""
    db.execute("UPDATE faults SET gpu = ?, hits = hits + 1 WHERE id = ?", [gpu, its.id])


def counted(db: sqlite3.Connection, its: Set, hit: bool) -> None:
    """It was asked whether it happens, and does or does not."""
    db.execute("UPDATE faults SET asked = asked + 1, hits = hits + ? WHERE id = ?", [int(hit), its.id])


def node_faults(found: Sequence[Set]) -> list[tuple[Set, NodeLost | NodeFlapping]]:
    """Those by which nodes are lost."""
    return [(its, its.fault) for its in found if isinstance(its.fault, NodeLost | NodeFlapping)]
