"""The steps of the workflows. Each may be run again after any crash: the fleet and the database know what was done.

A step that cannot succeed any more raises ApplicationError with the reason as its type; everything else is tried again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, NoReturn
from uuid import UUID

from temporalio import activity
from temporalio.exceptions import ApplicationError

from gpuaas.fleet.client import OUTDATED, Fleet, FleetRefusal
from gpuaas.fleet.reservation import Reservation, Seen
from gpuaas.provisioning.disagreements import disagreements
from gpuaas.provisioning.order import (
    DELETED,
    LOST,
    NO_CAPACITY,
    REFUSED,
    SENTENCES,
    UNHEALTHY,
    Disagreement,
    Failure,
    Order,
    Reserved,
)
from gpuaas.provisioning.states import Gone, States

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
            self.record_running,
            self.record_failed,
            self.record_released,
            self.record_lost,
            self.look,
        ]

    @activity.defn
    async def begin(self, order: Order) -> bool:
        """Say that it is being provisioned; False when somebody has been through with it."""
        return await self._move(order, "provisioning", ("requested",), {"message": "Its GPUs are being prepared."})

    @activity.defn
    async def reserve(self, order: Order, attempt: int) -> Reserved:
        """Reserve its GPUs; the same ones for the same attempt."""
        instance = UUID(order.instance_id)
        if await self._states.is_gone(instance):
            _give_up(DELETED, "the instance was deleted")
        try:
            seen = await self._fleet.reserve(
                instance, order.gpu_type, order.gpu_count, key=f"{order.instance_id}:{attempt}:reserve"
            )
        except FleetRefusal as refusal:
            _give_up(NO_CAPACITY if refusal.code == "no_capacity" else REFUSED, str(refusal))
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
            _give_up(UNHEALTHY, ", ".join(f"{its.gpu}: {its.kind} {its.code}" for its in found.health.findings))

    @activity.defn
    async def release(self, instance_id: str) -> None:
        """Release whatever the instance holds; done when its GPUs are free."""
        while True:
            held = [its for its in await self._fleet.of_instance(UUID(instance_id)) if its.state != "released"]
            activity.heartbeat(len(held))
            if not held:
                return
            for its in held:
                if its.state != "releasing":
                    await self._release(its.id)
            await asyncio.sleep(POLL_SECONDS)

    @activity.defn
    async def record_running(self, order: Order, reserved: Reserved) -> None:
        """Say that it runs, and where."""
        told = {"message": f"Runs on {reserved.node}.", "node": reserved.node, "gpus": reserved.gpus}
        await self._move(order, "running", ("provisioning",), told)

    @activity.defn
    async def record_failed(self, order: Order, failure: Failure) -> None:
        """Say that it does not come up, and why."""
        told = {
            "message": SENTENCES.get(failure.reason, SENTENCES[REFUSED]),
            "reason": failure.reason,
            "detail": failure.detail,
        }
        await self._move(order, "failed", ("provisioning",), told)

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
            await self._states.move(UUID(found.instance_id), key, ("running",), "failed", told)

    @activity.defn
    async def look(self) -> list[Disagreement]:
        """Where the database and the fleet disagree: asks both."""
        return await disagreements(self._states, self._fleet)

    async def _move(self, order: Order, after: str, before: tuple[str, ...], details: dict[str, Any]) -> bool:
        key = f"{order.instance_id}:{after}"
        try:
            return await self._states.move(UUID(order.instance_id), key, before, after, details)
        except Gone:
            _give_up(DELETED, "the instance was deleted")

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
                _give_up(found.reason or LOST, f"reservation {found.id} on {found.node} is {found.state}")
            if is_there(found) and not found.operation:
                return found
            if not found.operation:
                try:
                    await act(seen)
                except FleetRefusal as refusal:
                    if refusal.code not in OUTDATED:
                        _give_up(REFUSED, str(refusal))
            await asyncio.sleep(POLL_SECONDS)

    async def _look(self, reserved: Reserved) -> Seen:
        try:
            return await self._fleet.get(UUID(reserved.reservation_id))
        except FleetRefusal as refusal:
            _give_up(LOST, str(refusal))

    async def _release(self, identity: UUID) -> None:
        try:
            await self._fleet.release(await self._fleet.get(identity))
        except FleetRefusal as refusal:
            if refusal.code not in (*OUTDATED, "not_found"):
                raise


def _key(reserved: Reserved, step: str) -> str:
    """The same for each repetition of a step: the fleet does it once."""
    return f"{reserved.reservation_id}:{step}"


def _give_up(reason: str, detail: str) -> NoReturn:
    raise ApplicationError(detail, type=reason, non_retryable=True)
