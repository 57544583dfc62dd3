"""The fleet: who has which GPUs, and what is done to them.

Time passes when somebody looks. Whatever was due by then, an operation that ends or a node that goes, takes its effect
first, in its order; so a process that was away for a while comes back to what happened meanwhile.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from uuid import uuid4

from gpu_fleet import reservations
from gpu_fleet.clock import Clock, Wall
from gpu_fleet.inventory import GpuType, Inventory, Node
from gpu_fleet.refusals import Code, RefusedError
from gpu_fleet.reservations import Finding, Health, Operation, Reason, Reservation, State, Workload, WorkloadState
from gpu_fleet.simulation.faultfile import FaultFile
from gpu_fleet.simulation.hardware import Hardware
from gpu_fleet.store import Store

KEPT_SECONDS = 7 * 86_400  # a released reservation and its keys
LISTED = 20  # of one instance
_log = logging.getLogger(__name__)

_ALLOWED = {
    Operation.STORAGE: {State.RESERVED, State.STOPPED},
    Operation.START: {State.RESERVED, State.STOPPED},
    Operation.VERIFY: {State.RUNNING},
    Operation.DEPLOY: {State.RUNNING},
    Operation.REMOVE: {State.RUNNING},
    Operation.STOP: {State.STARTING, State.RUNNING},
    Operation.RELEASE: set(State) - {State.RELEASING, State.RELEASED},
}
_MEANWHILE = {Operation.START: State.STARTING, Operation.STOP: State.STOPPING, Operation.RELEASE: State.RELEASING}
_AFTERWARDS = {Operation.START: State.RUNNING, Operation.STOP: State.STOPPED, Operation.RELEASE: State.RELEASED}
_ENDS_ANOTHER = {Operation.STOP, Operation.RELEASE}
_BEYOND_LOSS = {State.RELEASING, State.RELEASED, State.FAILED}


@dataclass(frozen=True, slots=True)
class Outcome:
    """``fresh`` says that the command took its effect now and not before."""

    reservation: Reservation
    fresh: bool


@dataclass(frozen=True, slots=True)
class NodeSeen:
    """A node as it is now: which of its GPUs are taken, and their errors."""

    node: Node
    lost: bool
    taken: dict[str, str]
    errors: dict[str, tuple[Finding, ...]]

    @property
    def free(self) -> list[str]:
        """GPUs that can be reserved."""
        if self.lost:
            return []
        return [gpu.uuid for gpu in self.node.gpus if gpu.uuid not in self.taken and gpu.uuid not in self.errors]


class Fleet:
    """Commands and questions; each sees what is true now."""

    def __init__(self, store: Store, hardware: Hardware, file: FaultFile, speed: float, wall: Wall) -> None:
        self._store = store
        self._hardware = hardware
        self._file = file
        self._wall = wall
        with store.transaction() as db:
            self._clock = _clock(db, speed, wall())
            self._forget_machines_that_are_gone(db)

    @property
    def inventory(self) -> Inventory:
        """The nodes that there are."""
        return self._hardware.inventory

    @property
    def hardware(self) -> Hardware:
        """The machines."""
        return self._hardware

    @property
    def file_problem(self) -> str | None:
        """Why the file of faults is not followed."""
        return self._file.problem

    def forget(self) -> None:
        """Forget every reservation."""
        with self.looking() as (db, _now):
            db.execute("DELETE FROM reservations")
            db.execute("DELETE FROM ledger")

    def pace(self, speed: float) -> None:
        """From now on time passes ``speed`` times as fast as on the wall."""
        with self.looking() as (db, _now):
            self._clock = self._clock.paced(speed, self._wall())
            _keep_clock(db, self._clock)

    @property
    def speed(self) -> float:
        """How fast time passes."""
        return self._clock.speed

    @contextmanager
    def looking(self) -> Generator[tuple[sqlite3.Connection, float]]:
        """A transaction, and the fleet's time in it, after all that was due has happened."""
        with self._store.transaction() as db:
            self._settle(db, self._clock.at(self._wall()))
        # A transaction of its own: a command that is refused takes back nothing of what has happened.
        with self._store.transaction() as db:
            yield db, self._clock.at(self._wall())

    def reserve(
        self, key: str, instance: str, gpu_type: GpuType, gpu_count: int, replaces: str | None = None
    ) -> Outcome:
        """GPUs of one node for an instance that has none, or none but the reservation that this one replaces.

        Raises RefusedError.
        """
        command = f"reserve {instance} {gpu_count}x{gpu_type}" + (f" in place of {replaces}" if replaces else "")
        with self.looking() as (db, now):
            if before := _done_before(db, key, command):
                return Outcome(before, fresh=False)
            held = [its.id for its in reservations.find(db, "instance = ? AND state <> 'released'", instance)]
            if replaces is None and held:
                raise RefusedError(Code.INSTANCE_RESERVED, "The instance has a reservation; release or replace it.")
            if replaces is not None and held != [replaces]:
                raise RefusedError(
                    Code.INSTANCE_RESERVED, "The reservation to be replaced is not the only one that the instance has."
                )
            fitting = [
                seen for seen in self._nodes(db, now) if seen.node.gpu_type == gpu_type and len(seen.free) >= gpu_count
            ]
            if not fitting:
                raise RefusedError(Code.NO_CAPACITY, f"No node has {gpu_count} GPUs of type {gpu_type} free.")
            # The fullest that fits, so that large requests find room later.
            chosen = min(fitting, key=lambda seen: (len(seen.free), seen.node.name))
            at = self._clock.on_the_wall(now)
            gpus = tuple(chosen.free[:gpu_count])
            new = Reservation(
                str(uuid4()), instance, gpu_type, chosen.node.name, gpus, State.RESERVED, at, at, replaces=replaces
            )
            reservations.insert(db, new)
            _remember(db, key, command, new)
            self._note(db, new, "reserve", at)
            reservations.forget_released(db, at - KEPT_SECONDS)
            return Outcome(new, fresh=True)

    def begin(
        self,
        operation: Operation,
        identity: str,
        key: str | None,
        version: int | None,
        size_gib: int | None = None,
        image: str | None = None,
    ) -> Outcome:
        """Begin an operation; its end is seen in the reservation. Raises RefusedError.

        ``version`` is the one that the caller has seen. A key that is known is answered before it is looked at, and so
        is a release of what is released and a removal where no workload is.
        """
        command = f"{operation} {identity} {size_gib or image or ''}".rstrip()
        with self.looking() as (db, now):
            if key is not None and (before := _done_before(db, key, command)):
                return Outcome(before, fresh=False)
            its = _get(db, identity)
            if _is_done(operation, its):
                return Outcome(its, fresh=False)
            if its.version != version:
                raise RefusedError(Code.PRECONDITION_FAILED, "The reservation has changed; read it again.")
            if its.operation and operation not in _ENDS_ANOTHER:
                raise RefusedError(Code.BUSY, f"Operation {its.operation} has not ended yet.")
            if its.state not in _ALLOWED[operation]:
                raise RefusedError(Code.WRONG_STATE, f"The reservation is {its.state}.")
            if operation is Operation.STORAGE and its.storage_gib is not None:
                raise RefusedError(Code.WRONG_STATE, "The reservation has its storage.")
            if operation is Operation.DEPLOY and its.workload and its.workload.state is not WorkloadState.CRASHED:
                raise RefusedError(Code.WRONG_STATE, "The reservation has a workload; remove it first.")
            at = self._clock.on_the_wall(now)
            new = its.changed(
                at,
                operation=operation,
                due=now + self._hardware.duration(db, its, operation),
                state=_MEANWHILE.get(operation, its.state),
                storage_gib=its.storage_gib if size_gib is None else size_gib,
                workload=_workload_meanwhile(operation, its.workload, image, at),
            )
            reservations.update(db, new)
            if key is not None:
                _remember(db, key, command, new)
            self._note(db, new, operation, at)
            return Outcome(new, fresh=True)

    def get(self, identity: str) -> Reservation:
        """One reservation. Raises RefusedError."""
        with self.looking() as (db, _now):
            return _get(db, identity)

    def every(self) -> list[Reservation]:
        """All that are not released, the oldest first."""
        with self.looking() as (db, _now):
            return reservations.find(db, "state <> 'released' ORDER BY created, id")

    def of_instance(self, instance: str) -> list[Reservation]:
        """Those of an instance, also released ones, the newest first; of these the last few."""
        with self.looking() as (db, _now):
            return reservations.find(db, "instance = ? ORDER BY created DESC, id LIMIT ?", instance, LISTED)

    def nodes(self) -> list[NodeSeen]:
        """All nodes, by name."""
        with self.looking() as (db, now):
            return self._nodes(db, now)

    def _nodes(self, db: sqlite3.Connection, now: float) -> list[NodeSeen]:
        lost, errors, taken = self._hardware.lost(db, now), self._hardware.errors(db), reservations.taken(db)
        return [NodeSeen(node, node.name in lost, taken, errors) for node in self.inventory.nodes.values()]

    def _settle(self, db: sqlite3.Connection, now: float) -> None:
        """Let happen what is due."""
        self._file.reload(db, now)
        due = reservations.find(db, "due <= ?", now)
        happenings: list[tuple[float, str, Callable[[float], None]]] = [
            *((its.due or now, its.id, self._ending(db, its.id)) for its in due),
            *((at, node, self._losing(db, node)) for at, node in self._hardware.losses(db, now)),
        ]
        for at, _which, happen in sorted(happenings, key=lambda each: each[:2]):
            happen(self._clock.on_the_wall(at))
        if self._hardware.has_bad_gpus(db):
            running = reservations.find(db, "state = 'running' ORDER BY created, id")
            self._hardware.strike(db, running)
            self._notice(db, running, self._clock.on_the_wall(now))
        for its in reservations.find(db, "workload IS NOT NULL ORDER BY created, id"):
            self._probe(db, its, self._clock.on_the_wall(now))

    def _ending(self, db: sqlite3.Connection, identity: str) -> Callable[[float], None]:
        def happen(at: float) -> None:
            its = _get(db, identity)
            if its.operation is None:
                return  # a node went first
            new = its.changed(at, operation=None, due=None, state=_AFTERWARDS.get(its.operation, its.state))
            match its.operation:
                case Operation.STORAGE:
                    new = replace(new, storage_attached=True)
                case Operation.START:
                    if reason := self._hardware.start_fails(db, its):
                        new = replace(new, state=State.FAILED, reason=reason)
                case Operation.VERIFY:
                    new = replace(new, health=_look(self._hardware.errors(db), its, at))
                case Operation.DEPLOY:
                    new = replace(new, workload=its.with_workload(at, WorkloadState.HEALTHY).workload)
                case Operation.REMOVE:
                    new = replace(new, workload=None)
                case Operation.STOP:
                    new = replace(new, health=None)
            reservations.update(db, new)
            self._note(db, new, f"{its.operation} ended", at)

        return happen

    def _losing(self, db: sqlite3.Connection, node: str) -> Callable[[float], None]:
        def happen(at: float) -> None:
            for its in reservations.find(db, "node = ? ORDER BY id", node):
                if its.state not in _BEYOND_LOSS:
                    self._fail(db, its, at)

        return happen

    def _fail(self, db: sqlite3.Connection, its: Reservation, at: float) -> None:
        new = its.changed(at, operation=None, due=None, state=State.FAILED, reason=Reason.NODE_LOST)
        reservations.update(db, new)
        self._note(db, new, "failed", at)

    def _notice(self, db: sqlite3.Connection, running: list[Reservation], at: float) -> None:
        """What runs is watched: an error shows without a verification. That it is gone, only a verification shows."""
        errors = self._hardware.errors(db)
        for its in running:
            seen = _look(errors, its, at)
            known = set(its.health.findings) if its.health else set()
            if set(seen.findings) - known:
                new = its.changed(at, health=seen)
                reservations.update(db, new)
                self._note(db, new, "error", at)

    def _probe(self, db: sqlite3.Connection, its: Reservation, at: float) -> None:
        """How a workload that was deployed does is seen as soon as it changes."""
        assert its.workload
        if its.workload.state not in (WorkloadState.HEALTHY, WorkloadState.UNHEALTHY):
            return
        state = self._hardware.workload(db, its)
        if state is not its.workload.state:
            new = its.with_workload(at, state)
            reservations.update(db, new)
            self._note(db, new, f"workload {state}", at)

    def _note(self, db: sqlite3.Connection, its: Reservation, effect: str, at: float) -> None:
        db.execute(
            "INSERT INTO ledger (at, reservation, instance, effect) VALUES (?, ?, ?, ?)",
            [at, its.id, its.instance, effect],
        )
        fields = {
            "reservation": its.id,
            "instance": its.instance,
            "node": its.node,
            "effect": effect,
            "state": its.state,
        }
        _log.info("reservation", extra={"fields": fields})

    def _forget_machines_that_are_gone(self, db: sqlite3.Connection) -> None:
        """Who has GPUs that the settings no longer name has lost them."""
        known = {gpu.uuid for node in self.inventory.nodes.values() for gpu in node.gpus}
        for its in reservations.find(db, "state NOT IN ('releasing', 'released', 'failed') ORDER BY id"):
            if not known.issuperset(its.gpus):
                self._fail(db, its, self._wall())


def _clock(db: sqlite3.Connection, speed: float, wall: float) -> Clock:
    """It goes on where it was; a speed that the settings change counts, otherwise what was set meanwhile."""
    stored = db.execute("SELECT wall, fleet, speed, configured FROM clock").fetchone()
    clock = Clock(stored["wall"], stored["fleet"], stored["speed"]) if stored else Clock(wall, 0.0, speed)
    if stored and stored["configured"] != speed:
        clock = clock.paced(speed, wall)
    _keep_clock(db, clock)
    db.execute("UPDATE clock SET configured = ?", [speed])
    return clock


def _keep_clock(db: sqlite3.Connection, clock: Clock) -> None:
    """Store it."""
    db.execute(
        "INSERT INTO clock (id, wall, fleet, speed, configured) VALUES (1, ?, ?, ?, 0) "
        "ON CONFLICT (id) DO UPDATE SET wall = excluded.wall, fleet = excluded.fleet, speed = excluded.speed",
        [clock.wall, clock.fleet, clock.speed],
    )


def _is_done(operation: Operation, its: Reservation) -> bool:
    """Whether there is nothing left of it to be done, whoever did it."""
    if operation is Operation.RELEASE:
        return its.state in (State.RELEASING, State.RELEASED)
    gone = its.workload is None or its.workload.state is WorkloadState.REMOVING
    return operation is Operation.REMOVE and gone


def _workload_meanwhile(operation: Operation, its: Workload | None, image: str | None, at: float) -> Workload | None:
    if operation is Operation.DEPLOY and image:
        return Workload(image, WorkloadState.DEPLOYING, at)
    return replace(its, state=WorkloadState.REMOVING, since=at) if its and operation is Operation.REMOVE else its


def _look(errors: dict[str, tuple[Finding, ...]], its: Reservation, at: float) -> Health:
    return Health(at, tuple(finding for gpu in its.gpus for finding in errors.get(gpu, ())))


def _get(db: sqlite3.Connection, identity: str) -> Reservation:
    found = reservations.find(db, "id = ?", identity)
    if not found:
        raise RefusedError(Code.NOT_FOUND, "There is no such reservation.")
    return found[0]


def _done_before(db: sqlite3.Connection, key: str, command: str) -> Reservation | None:
    """The reservation that a command under this key was for, as it is now. Raises RefusedError for another command."""
    row = db.execute("SELECT command, reservation FROM keys WHERE key = ?", [key]).fetchone()
    if row is None:
        return None
    if row["command"] != command:
        raise RefusedError(Code.IDEMPOTENCY_CONFLICT, "The key was used for something else.")
    return _get(db, row["reservation"])


def _remember(db: sqlite3.Connection, key: str, command: str, its: Reservation) -> None:
    db.execute("INSERT INTO keys (key, command, reservation) VALUES (?, ?, ?)", [key, command, its.id])
