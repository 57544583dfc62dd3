"""What is to be done about a workload: follows from what the database says of it and what the fleet does, and nothing else."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from gpuaas.fleet.reservation import Reservation

# After so many crashes since its instance began to run a workload is left alone: it would crash again.
MAX_CRASHES = 3


class State(StrEnum):
    """Where a workload is, as the database has it."""

    PENDING = "pending"
    DEPLOYED = "deployed"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    REMOVING = "removing"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Believed:
    """The workload of an instance, as the database has it. Every change takes the next ``turn``."""

    instance_id: uuid.UUID
    instance_runs: bool
    workload: str
    state: State | None
    turn: int
    crashes: int


class Step(StrEnum):
    """What is to be done, or to be said."""

    DEPLOY = "deploy"
    REMOVE = "remove"
    SAY_HEALTHY = "say healthy"
    SAY_UNHEALTHY = "say unhealthy"
    SAY_REMOVED = "say removed"
    DEPLOY_AGAIN = "deploy again"


def intended(its: Believed) -> State | None:
    """Where it has to go because of its instance, or None: it is wanted while that runs."""
    if its.instance_runs:
        return State.PENDING if its.state in (None, State.REMOVED) else None
    return None if its.state in (None, State.REMOVING, State.REMOVED) else State.REMOVING


def holding(found: Iterable[Reservation]) -> dict[uuid.UUID, Reservation]:
    """Of each instance the reservation that its workload is on, or has to be: one that moves to other GPUs has two."""
    chosen: dict[uuid.UUID, Reservation] = {}
    for its in sorted(found, key=lambda its: (its.workload is not None, its.state == "running")):
        chosen[its.instance] = its
    return chosen


def condition(found: Reservation | None) -> str:
    """How the fleet says it does: a state of the fleet's contract, ``lost`` where GPUs run without it, or ``off``."""
    if found is None or found.state != "running":
        return "off"
    return found.workload.state if found.workload else "lost"


def step(its: Believed, found: Reservation | None) -> Step | None:
    """What is next, or None where there is nothing to do but to look again."""
    how, busy = condition(found), found is not None and found.operation is not None
    match its.state:
        case None | State.REMOVED:
            return None
        case State.PENDING:
            return None if how == "off" or busy else Step.DEPLOY
        case State.REMOVING:
            if how in ("off", "lost"):
                return Step.SAY_REMOVED
            return None if busy else Step.REMOVE
    match how:
        case "off" | "deploying" | "removing":
            return None
        case "healthy":
            return None if its.state is State.HEALTHY else Step.SAY_HEALTHY
    if its.state is not State.UNHEALTHY:
        return Step.SAY_UNHEALTHY
    return Step.DEPLOY_AGAIN if how in ("crashed", "lost") and its.crashes < MAX_CRASHES else None


def is_settled(its: Believed, found: Reservation | None) -> bool:
    """Whether database and fleet agree, and neither is on its way."""
    under_way = its.state in (State.PENDING, State.DEPLOYED, State.REMOVING)
    return not under_way and intended(its) is None and step(its, found) is None
