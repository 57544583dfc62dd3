"""What the machines do, by the faults that are set. All times are the fleet's."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable

from gpu_fleet import chance
from gpu_fleet.inventory import Inventory
from gpu_fleet.reservations import Finding, Operation, Reason, Reservation, WorkloadState
from gpu_fleet.settings import Settings
from gpu_fleet.simulation import faults
from gpu_fleet.simulation.faults import (
    CapacityGone,
    GpuError,
    NodeFlapping,
    NodeLost,
    NodeSlow,
    WorkloadCrash,
    WorkloadUnhealthy,
)
from gpu_fleet.simulation.faults import Set as SetFault

SPREAD = 0.25  # of a duration, to both sides
_ECC_XID = 48


class Hardware:
    """The machines of an inventory, for one transaction after another."""

    def __init__(self, settings: Settings, inventory: Inventory) -> None:
        self.inventory = inventory
        self._seed = settings.seed
        self._durations = {
            Operation.STORAGE: settings.attach_time,
            Operation.START: settings.start_time,
            Operation.VERIFY: settings.verify_time,
            Operation.DEPLOY: settings.deploy_time,
            Operation.REMOVE: settings.remove_time,
            Operation.STOP: settings.stop_time,
            Operation.RELEASE: settings.release_time,
        }

    def duration(self, db: sqlite3.Connection, its: Reservation, operation: Operation) -> float:
        """How long an operation takes from now on."""
        spread = 1 + SPREAD * (2 * chance.fraction(self._seed, its.instance, its.node, operation) - 1)
        return self._durations[operation] * spread * self.slowness(db, its.node)

    def slowness(self, db: sqlite3.Connection, node: str) -> float:
        """How many times as long everything takes there."""
        slow = [its.fault for its in faults.every(db) if isinstance(its.fault, NodeSlow)]
        return next((fault.factor for fault in slow if fault.node == node), 1.0)

    def lost(self, db: sqlite3.Connection, now: float) -> set[str]:
        """The nodes that are gone."""
        return {fault.node for its, fault in faults.node_faults(faults.every(db)) if _is_lost(its, fault, now)}

    def losses(self, db: sqlite3.Connection, now: float) -> list[tuple[float, str]]:
        """When nodes went since this was asked last, each fault's first time, and which."""
        found = []
        for its, fault in faults.node_faults(faults.every(db)):
            at = _first_loss(its, fault)
            if at <= now:
                found.append((at, fault.node))
                faults.applied(db, its, now)
        return found

    def start_fails(self, db: sqlite3.Connection, its: Reservation) -> Reason | None:
        """Why the GPUs of a reservation do not come up, if they do not."""
        return Reason.CAPACITY_GONE if self._happens(db, its, CapacityGone) else None

    def workload(self, db: sqlite3.Connection, its: Reservation) -> WorkloadState:
        """How the workload of a reservation does that was deployed."""
        if self._happens(db, its, WorkloadCrash):
            return WorkloadState.CRASHED
        set_ = (each.fault for each in faults.every(db))
        unhealthy = any(isinstance(fault, WorkloadUnhealthy) and _is_meant(fault, its) for fault in set_)
        return WorkloadState.UNHEALTHY if unhealthy else WorkloadState.HEALTHY

    def _happens(self, db: sqlite3.Connection, its: Reservation, kind: type[CapacityGone | WorkloadCrash]) -> bool:
        """Whether a fault that comes so many times comes to a reservation now."""
        for each in faults.every(db):
            fault = each.fault
            if isinstance(fault, kind) and _is_meant(fault, its) and (fault.times is None or each.hits < fault.times):
                faults.counted(db, each, hit=True)
                return True
        return False

    def has_bad_gpus(self, db: sqlite3.Connection) -> bool:
        """Whether a GPU has an error, or one waits for a GPU."""
        return any(isinstance(its.fault, GpuError) for its in faults.every(db))

    def errors(self, db: sqlite3.Connection) -> dict[str, tuple[Finding, ...]]:
        """The errors of each GPU that has some."""
        found: dict[str, tuple[Finding, ...]] = {}
        for its in faults.every(db):
            if isinstance(its.fault, GpuError) and its.gpu:
                found[its.gpu] = (*found.get(its.gpu, ()), _finding(its.gpu, its.fault))
        return found

    def strike(self, db: sqlite3.Connection, running: Iterable[Reservation]) -> None:
        """Let errors that wait for a GPU find one of those that run."""
        for its in faults.every(db):
            if not isinstance(its.fault, GpuError) or its.gpu:
                continue
            wanted = its.fault.instance
            hit = next((each for each in running if wanted is None or each.instance == str(wanted)), None)
            if hit:
                place = int(chance.fraction(self._seed, hit.instance, its.id) * len(hit.gpus))
                faults.struck(db, its, hit.gpus[place])


def _is_meant(fault: CapacityGone | WorkloadCrash | WorkloadUnhealthy, its: Reservation) -> bool:
    return str(fault.instance or its.instance) == its.instance


def _is_lost(its: SetFault, fault: NodeLost | NodeFlapping, now: float) -> bool:
    return isinstance(fault, NodeLost) or int((now - its.since) // fault.period_seconds) % 2 == 0


def _first_loss(its: SetFault, fault: NodeLost | NodeFlapping) -> float:
    """When the node goes for the first time after what was applied already."""
    if its.applied is None:
        return its.since
    if isinstance(fault, NodeLost):
        return math.inf
    cycle = 2 * fault.period_seconds
    return its.since + (math.floor((its.applied - its.since) / cycle) + 1) * cycle


def _finding(gpu: str, fault: GpuError) -> Finding:
    if fault.error == "ecc":
        return Finding(gpu, "ecc", _ECC_XID, "double-bit ECC error")
    return Finding(gpu, "xid", fault.xid, f"XID {fault.xid}")
