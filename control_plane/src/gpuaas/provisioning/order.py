"""What workflows and their activities hand to each other. Its fields are part of every history: only add to them."""

from __future__ import annotations

from dataclasses import dataclass

TASK_QUEUE = "provisioning"

# Why an instance does not come up, as its event says it; errors of activities have these as their type.
DELETED = "deleted"
NO_CAPACITY = "no_capacity"
UNHEALTHY = "unhealthy"
LOST = "reservation_lost"
REFUSED = "fleet_refused"
# Other GPUs may do: release these, and reserve again.
RETRIED = ("node_lost", "capacity_gone", UNHEALTHY, LOST)
# What a tenant is told of it.
_WHY = {
    NO_CAPACITY: "there are not so many free GPUs of this type on one machine.",
    UNHEALTHY: "no GPUs without errors were found.",
    "node_lost": "the machine was lost, and so were others that were tried.",
    "capacity_gone": "GPUs did not come up, nor did others that were tried.",
    REFUSED: "the GPUs could not be prepared.",
}


def why(reason: str) -> str:
    """A reason in words."""
    return _WHY.get(reason, _WHY[REFUSED])


@dataclass(frozen=True)
class Order:
    """An instance, as it was asked for; ``operation`` counts what was done with it since."""

    instance_id: str
    project: str
    name: str
    gpu_type: str
    gpu_count: int
    operation: int = 0

    @property
    def key(self) -> str:
        """What the keys of everything that is done for this order begin with."""
        return f"{self.instance_id}:{self.operation}" if self.operation else self.instance_id


@dataclass(frozen=True)
class Reserved:
    """What the fleet gave. ``round`` counts the reservations of a workflow; it is part of every key."""

    reservation_id: str
    node: str
    gpus: list[str]
    round: int


@dataclass(frozen=True)
class Disagreement:
    """What the fleet says of an instance is not what the database does.

    ``reason`` is why an instance that runs does not, or empty where it holds GPUs and is not there. ``operation`` is the
    one that it had when that was seen.
    """

    instance_id: str
    reason: str
    detail: str
    operation: int = 0


@dataclass(frozen=True)
class Failure:
    """Why an instance does not come up: one of the words above, or the fleet's."""

    reason: str
    detail: str
