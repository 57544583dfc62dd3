"""Reservations as they are stored."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self

from gpu_fleet.inventory import GpuType


class State(StrEnum):
    """Where a reservation is."""

    RESERVED = "reserved"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    RELEASING = "releasing"
    RELEASED = "released"
    FAILED = "failed"


class Operation(StrEnum):
    """What is being done to one."""

    STORAGE = "storage"
    START = "start"
    VERIFY = "verify"
    DEPLOY = "deploy"
    REMOVE = "remove"
    STOP = "stop"
    RELEASE = "release"


class Reason(StrEnum):
    """Why one failed."""

    NODE_LOST = "node_lost"
    CAPACITY_GONE = "capacity_gone"


@dataclass(frozen=True, slots=True)
class Finding:
    """An error of a GPU: ``kind`` is xid (NVIDIA's XID errors) or ecc, ``code`` the XID."""

    gpu: str
    kind: str
    code: int
    detail: str


@dataclass(frozen=True, slots=True)
class Health:
    """What the last look at the GPUs found, at ``at`` (seconds since 1970)."""

    at: float
    findings: tuple[Finding, ...]

    def to_json(self) -> str:
        """As it is stored."""
        return json.dumps(
            {"at": self.at, "findings": [[its.gpu, its.kind, its.code, its.detail] for its in self.findings]}
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The other way."""
        stored = json.loads(text)
        return cls(stored["at"], tuple(Finding(*its) for its in stored["findings"]))


class WorkloadState(StrEnum):
    """How a workload does. One that has crashed stays where it is until it is deployed again or removed."""

    DEPLOYING = "deploying"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    CRASHED = "crashed"
    REMOVING = "removing"


@dataclass(frozen=True, slots=True)
class Workload:
    """What runs on the GPUs of a reservation, since ``since`` in this state (seconds since 1970)."""

    image: str
    state: WorkloadState
    since: float

    def to_json(self) -> str:
        """As it is stored."""
        return json.dumps([self.image, self.state, self.since])

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The other way."""
        image, state, since = json.loads(text)
        return cls(image, WorkloadState(state), since)


@dataclass(frozen=True, slots=True)
class Reservation:
    """GPUs of one node for one instance. ``version`` grows with every change; ``due`` is when ``operation`` is done.

    ``replaces`` is the reservation whose place it takes.
    """

    id: str
    instance: str
    gpu_type: GpuType
    node: str
    gpus: tuple[str, ...]
    state: State
    created: float
    updated: float
    version: int = 1
    reason: Reason | None = None
    operation: Operation | None = None
    due: float | None = None
    storage_gib: int | None = None
    storage_attached: bool = False
    health: Health | None = None
    replaces: str | None = None
    workload: Workload | None = None

    def changed(self, at: float, **changes: Any) -> Self:
        """The next version of it. What no longer runs has no workload."""
        new = replace(self, version=self.version + 1, updated=max(at, self.updated), **changes)
        return new if new.state is State.RUNNING else replace(new, workload=None)

    def with_workload(self, at: float, state: WorkloadState) -> Self:
        """The next version of it, whose workload is in another state."""
        assert self.workload
        return self.changed(at, workload=replace(self.workload, state=state, since=at))


def insert(db: sqlite3.Connection, new: Reservation) -> None:
    """Store it, and its GPUs as taken. Raises sqlite3.IntegrityError where one is taken already."""
    values = _values(new)
    db.execute(
        f"INSERT INTO reservations ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})", [*values.values()]
    )
    db.executemany("INSERT INTO allocations (gpu, reservation) VALUES (?, ?)", [(gpu, new.id) for gpu in new.gpus])


def update(db: sqlite3.Connection, new: Reservation) -> None:
    """Store a next version. A released one has no GPU."""
    values = _values(new)
    db.execute(
        f"UPDATE reservations SET {', '.join(f'{name} = ?' for name in values)} WHERE id = ?",
        [*values.values(), new.id],
    )
    if new.state is State.RELEASED:
        db.execute("DELETE FROM allocations WHERE reservation = ?", [new.id])


def find(db: sqlite3.Connection, where: str, *parameters: object) -> list[Reservation]:
    """Those of which ``where`` holds, in its order."""
    return [_read(row) for row in db.execute(f"SELECT * FROM reservations WHERE {where}", parameters)]


def taken(db: sqlite3.Connection) -> dict[str, str]:
    """GPU -> its reservation."""
    return dict(tuple(row) for row in db.execute("SELECT gpu, reservation FROM allocations"))


def forget_released(db: sqlite3.Connection, before: float) -> None:
    """What was released before a time, with its keys and its lines of the ledger."""
    old: Iterable[str] = [
        row["id"]
        for row in db.execute(
            "SELECT id FROM reservations WHERE state = 'released' AND updated < ? LIMIT 100", [before]
        )
    ]
    for identity in old:
        db.execute("DELETE FROM ledger WHERE reservation = ?", [identity])
        db.execute("DELETE FROM reservations WHERE id = ?", [identity])


def _values(its: Reservation) -> dict[str, Any]:
    return {
        "id": its.id,
        "instance": its.instance,
        "gpu_type": its.gpu_type,
        "node": its.node,
        "gpus": json.dumps(its.gpus),
        "state": its.state,
        "reason": its.reason,
        "operation": its.operation,
        "due": its.due,
        "storage_gib": its.storage_gib,
        "storage_attached": int(its.storage_attached),
        "health": its.health.to_json() if its.health else None,
        "workload": its.workload.to_json() if its.workload else None,
        "version": its.version,
        "created": its.created,
        "updated": its.updated,
        "replaces": its.replaces,
    }


def _read(row: sqlite3.Row) -> Reservation:
    return Reservation(
        id=row["id"],
        instance=row["instance"],
        gpu_type=GpuType(row["gpu_type"]),
        node=row["node"],
        gpus=tuple(json.loads(row["gpus"])),
        state=State(row["state"]),
        created=row["created"],
        updated=row["updated"],
        version=row["version"],
        reason=Reason(row["reason"]) if row["reason"] else None,
        operation=Operation(row["operation"]) if row["operation"] else None,
        due=row["due"],
        storage_gib=row["storage_gib"],
        storage_attached=bool(row["storage_attached"]),
        health=Health.from_json(row["health"]) if row["health"] else None,
        replaces=row["replaces"],
        workload=Workload.from_json(row["workload"]) if row["workload"] else None,
    )
