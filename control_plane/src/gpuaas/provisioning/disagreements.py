"""What the database believes of instances, against what the fleet says of their reservations.

Instances that are being provisioned are their workflow's, which asks the fleet itself.
"""

from __future__ import annotations

from gpuaas.fleet.client import Fleet
from gpuaas.fleet.reservation import Reservation
from gpuaas.provisioning.order import LOST, UNHEALTHY, Disagreement
from gpuaas.provisioning.states import States

_WITHOUT_GPUS = ("failed", "deleted", "unknown")


async def disagreements(states: States, fleet: Fleet) -> list[Disagreement]:
    """Where they disagree. Raises psycopg.Error, FleetUnavailable and FleetRefusal."""
    # In this order: what is started meanwhile has a reservation before it runs, and releases it before it is failed.
    running = await states.running()
    held = {its.instance: its for its in await fleet.every()}
    believed = await states.of(held.keys())
    found = [
        Disagreement(str(instance), "", f"reservation {its.id} on {its.node} is {its.state}")
        for instance, its in held.items()
        if believed.get(instance, "unknown") in _WITHOUT_GPUS and its.state != "releasing"
    ]
    for instance in running:
        if reason := _lost(held.get(instance)):
            found.append(Disagreement(str(instance), *reason))
    return found


def _lost(its: Reservation | None) -> tuple[str, str] | None:
    """Why an instance that is believed to run does not, or None when it does."""
    if its is None:
        return LOST, "it has no reservation"
    if its.state != "running":
        return its.reason or LOST, f"reservation {its.id} on {its.node} is {its.state}"
    if its.health and its.health.state == "unhealthy":
        return UNHEALTHY, ", ".join(f"{gpu.gpu}: {gpu.kind} {gpu.code}" for gpu in its.health.findings)
    return None
