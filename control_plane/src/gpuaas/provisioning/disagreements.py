"""What the database believes of instances, against what the fleet says of their reservations.

Instances that are being provisioned, stopped, started or resized are their workflow's, which asks the fleet itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from gpuaas.fleet.client import Fleet
from gpuaas.fleet.reservation import Reservation
from gpuaas.provisioning.order import LOST, UNHEALTHY, Disagreement
from gpuaas.provisioning.states import Believed, States

_WITHOUT_GPUS = ("stopped", "failed", "deleted")


async def disagreements(states: States, fleet: Fleet) -> list[Disagreement]:
    """Where they disagree. Raises psycopg.Error, FleetUnavailable and FleetRefusal."""
    # In this order: what is started meanwhile has a reservation before it runs, and releases it before it is failed.
    running = await states.running()
    held: dict[UUID, list[Reservation]] = defaultdict(list)
    for its in await fleet.every():
        held[its.instance].append(its)
    believed = await states.of(held.keys())
    found = [
        Disagreement(str(its.instance), "", f"reservation {its.id} on {its.node} is {its.state}")
        for instance, several in held.items()
        for its in unwanted(running.get(instance), several, believed.get(instance))
        if its.state != "releasing"
    ]
    for instance, its_own in running.items():
        if reason := _lost(held.get(instance, ())):
            found.append(Disagreement(str(instance), *reason, operation=its_own.operation))
    return found


def unwanted(before: Believed | None, held: Sequence[Reservation], after: Believed | None) -> Sequence[Reservation]:
    """What an instance holds and should not, of what the fleet said between two looks at the database.

    What was held before it was known to have no GPUs is not what it may get next. One that ran all the time, by the same
    operation, is not being moved, so that what is about to take another one's place was forgotten there.
    """
    if after is None or after.state in _WITHOUT_GPUS:
        return held
    if before == after and after.state == "running":
        ids = {its.id for its in held}
        return [its for its in held if its.replaces in ids]
    return []


def _lost(held: Sequence[Reservation]) -> tuple[str, str] | None:
    """Why an instance that is believed to run does not, or None when it does."""
    if not held:
        return LOST, "it has no reservation"
    # While it moves it has two, the oldest first.
    its = next((one for one in held if one.state == "running"), held[0])
    if its.state != "running":
        return its.reason or LOST, f"reservation {its.id} on {its.node} is {its.state}"
    if its.health and its.health.state == "unhealthy":
        return UNHEALTHY, ", ".join(f"{gpu.gpu}: {gpu.kind} {gpu.code}" for gpu in its.health.findings)
    return None
