"""The steps of the workflows. Each may be run again after any crash: the fleet and the database know what was done.

A step that cannot succeed any more raises ApplicationError with the reason as its type; everything else is tried again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, NoReturn
from uuid import UUID

from temporalio import activity
from temporalio.exceptions import ApplicationError

from gpuaas.fleet.client import OUTDATED, Fleet, FleetRefusal
from gpuaas.fleet.reservation import Reservation, Seen
from gpuaas.provisioning.disagreements import disagreements, unwanted
from gpuaas.provisioning.order import (
    DELETED,
    LOST,
    NO_CAPACITY,
    REFUSED,
    UNHEALTHY,
    Disagreement,
    Failure,
    Order,
    Reserved,
    why,
)
from gpuaas.provisioning.states import Gone, Move, States

POLL_SECONDS = 0.25
STORAGE_GIB = 512
_OVER = ("failed", "releasing", "released")


class Activities:
    """What the workflows may do."""

    def __init__(self, fleet: Fleet, states: States) -> None:
        self._fleet = fleet
        self._states = states

    def all(self) -> list[Callable[..., Any]]:
        """Every activity, for the worker."""
        return [
            self.begin,
            self.reserve,
            self.attach_storage,
            self.start,
            self.verify,
            self.release,
            self.release_unwanted,
            self.record_running,
            self.record_failed,
            self.record_released,
            self.record_lost,
            self.look,
        ]

    @activity.defn
    async def begin(self, order: Order) -> bool:
        """Say that it is being provisioned; False when somebody has been through with it."""
        move = Move(order.operation, ("requested",), "provisioning")
        return await record(self._states, order, move, {"message": "Its GPUs are being prepared."})

    @activity.defn
    async def reserve(self, order: Order, attempt: int) -> Reserved:
        """Reserve its GPUs; the same ones for the same attempt."""
        instance = UUID(order.instance_id)
        if await self._states.is_gone(instance):
            give_up(DELETED, "the instance was deleted")
        try:
            seen = await self._fleet.reserve(
                instance, order.gpu_type, order.gpu_count, key=f"{order.key}:{attempt}:reserve"
            )
        except FleetRefusal as refusal:
            give_up(NO_CAPACITY if refusal.code == "no_capacity" else REFUSED, str(refusal))
        found = seen.reservation
        return Reserved(str(found.id), found.node, found.gpus, attempt)

    @activity.defn
    async def attach_storage(self, reserved: Reserved) -> None:
        """Attach its storage."""
        await self._drive(
            reserved,
            lambda found: found.storage is not None and found.storage.state == "attached",
            lambda seen: self._fleet.attach_storage(seen, STORAGE_GIB, key=_key(reserved, "storage")),
        )

    @activity.defn
    async def start(self, reserved: Reserved) -> None:
        """Start it."""
        await self._drive(
            reserved,
            lambda found: found.state == "running",
            lambda seen: self._fleet.start(seen, key=_key(reserved, "start")),
        )

    @activity.defn
    async def verify(self, reserved: Reserved) -> None:
        """Have the GPUs checked."""
        found = await self._drive(
            reserved,
            lambda found: found.health is not None,
            lambda seen: self._fleet.verify(seen, key=_key(reserved, "verify")),
        )
        if found.health and found.health.state == "unhealthy":
            give_up(UNHEALTHY, ", ".join(f"{its.gpu}: {its.kind} {its.code}" for its in found.health.findings))

    @activity.defn
    async def release(self, instance_id: str) -> None:
        """Release whatever the instance holds; done when its GPUs are free."""
        while held := await held_by(self._fleet, instance_id):
            await begin_release(self._fleet, held)
            await asyncio.sleep(POLL_SECONDS)

    @activity.defn
    async def release_unwanted(self, instance_id: str) -> None:
        """Release whatever an instance holds and should not.

        What it held when that was known is released, and nothing else: it may be started at any time, and then has GPUs
        of its own.
        """
        while True:
            before = await self._states.one(UUID(instance_id))
            held = await held_by(self._fleet, instance_id)
            if not (extra := unwanted(before, held, await self._states.one(UUID(instance_id)))):
                return
            await begin_release(self._fleet, extra)
            await asyncio.sleep(POLL_SECONDS)

    @activity.defn
    async def record_running(self, order: Order, reserved: Reserved) -> None:
        """Say that it runs, and where."""
        told = {"message": f"Runs on {reserved.node}.", "node": reserved.node, "gpus": reserved.gpus}
        await record(self._states, order, Move(order.operation, ("provisioning", "starting"), "running"), told)

    @activity.defn
    async def record_failed(self, order: Order, failure: Failure) -> None:
        """Say that it does not come up, and why."""
        told = {
            "message": f"Failed: {why(failure.reason)}",
            "reason": failure.reason,
            "detail": failure.detail,
        }
        await record(self._states, order, Move(order.operation, ("provisioning",), "failed"), told)

    @activity.defn
    async def record_released(self, instance_id: str) -> None:
        """Say that a deleted instance holds nothing any more."""
        told = {"message": "Its GPUs were given back."}
        await self._states.tell(UUID(instance_id), f"{instance_id}:released", "released", told)

    @activity.defn
    async def record_lost(self, found: Disagreement) -> None:
        """Say that an instance that ran does not any more, and why."""
        told = {"message": "Failed: its GPUs were lost while it ran.", "reason": found.reason, "detail": found.detail}
        key = f"{found.instance_id}:lost"
        with suppress(Gone):
            await self._states.move(UUID(found.instance_id), key, Move(found.operation, ("running",), "failed"), told)

    @activity.defn
    async def look(self) -> list[Disagreement]:
        """Where the database and the fleet disagree: asks both."""
        return await disagreements(self._states, self._fleet)

    async def _drive(
        self,
        reserved: Reserved,
        is_there: Callable[[Reservation], bool],
        act: Callable[[Seen], Awaitable[None]],
    ) -> Reservation:
        """Act when nothing is being done to the reservation, and look until it is there."""
        while True:
            seen = await self._look(reserved)
            found = seen.reservation
            activity.heartbeat(found.state)
            if found.state in _OVER:
                give_up(found.reason or LOST, f"reservation {found.id} on {found.node} is {found.state}")
            if is_there(found) and not found.operation:
                return found
            if not found.operation:
                try:
                    await act(seen)
                except FleetRefusal as refusal:
                    if refusal.code not in OUTDATED:
                        give_up(REFUSED, str(refusal))
            await asyncio.sleep(POLL_SECONDS)

    async def _look(self, reserved: Reserved) -> Seen:
        try:
            return await self._fleet.get(UUID(reserved.reservation_id))
        except FleetRefusal as refusal:
            give_up(LOST, str(refusal))


def _key(reserved: Reserved, step: str) -> str:
    """The same for each repetition of a step: the fleet does it once."""
    return f"{reserved.reservation_id}:{step}"


async def record(states: States, order: Order, move: Move, details: Mapping[str, Any]) -> bool:
    """Change the state that an order is about, once for each event of it; False when there is nothing to do."""
    try:
        return await states.move(UUID(order.instance_id), f"{order.key}:{move.event or move.after}", move, details)
    except Gone:
        give_up(DELETED, "the instance was deleted")


async def held_by(fleet: Fleet, instance_id: str) -> list[Reservation]:
    """What an instance holds, the newest first."""
    held = [its for its in await fleet.of_instance(UUID(instance_id)) if its.state != "released"]
    activity.heartbeat(len(held))
    return held


async def begin_release(fleet: Fleet, several: Iterable[Reservation]) -> None:
    """Have these released, unless they are; whoever looks again sees when their GPUs are free."""
    for its in several:
        if its.state != "releasing":
            try:
                await fleet.release(await fleet.get(its.id))
            except FleetRefusal as refusal:
                if refusal.code not in (*OUTDATED, "not_found"):
                    raise


def give_up(reason: str, detail: str) -> NoReturn:
    """End the step for good."""
    raise ApplicationError(detail, type=reason, non_retryable=True)
