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
# What a tenant is told when an instance does not come up.
SENTENCES = {
    NO_CAPACITY: "Failed: there are not so many free GPUs of this type on one machine.",
    UNHEALTHY: "Failed: no GPUs without errors were found.",
    "node_lost": "Failed: the machine was lost, and so were others that were tried.",
    "capacity_gone": "Failed: GPUs did not come up, nor did others that were tried.",
    REFUSED: "Failed: the GPUs could not be prepared.",
}


@dataclass(frozen=True)
class Order:
    """An instance, as it was asked for."""

    instance_id: str
    project: str
    name: str
    gpu_type: str
    gpu_count: int


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

    ``reason`` is why an instance that runs does not, or empty where it holds GPUs and is not there.
    """

    instance_id: str
    reason: str
    detail: str


@dataclass(frozen=True)
class Failure:
    """Why an instance does not come up: one of the words above, or the fleet's."""

    reason: str
    detail: str
