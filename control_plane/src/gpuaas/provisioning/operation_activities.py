"""The steps that only stopping, starting and resizing have; each may be run again after any crash."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

from temporalio import activity

from gpuaas.fleet.client import OUTDATED, Fleet, FleetRefusal
from gpuaas.fleet.reservation import Reservation
from gpuaas.provisioning.activities import POLL_SECONDS, Activities, begin_release, give_up, held_by, record
from gpuaas.provisioning.order import DELETED, LOST, NO_CAPACITY, REFUSED, Failure, Order, Reserved, why
from gpuaas.provisioning.states import Believed, Move, States, is_gone


class OperationActivities:
    """What the workflows of operations may do besides."""

    def __init__(self, fleet: Fleet, states: States) -> None:
        self._fleet = fleet
        self._states = states

    def all(self) -> list[Callable[..., Any]]:
        """Every activity, for the worker."""
        return [
            self.is_due,
            self.shut_down,
            self.current,
            self.reserve_instead,
            self.release_all_but,
            self.record_stopped,
            self.record_not_started,
            self.record_resized,
            self.record_not_resized,
        ]

    @activity.defn
    async def is_due(self, order: Order, state: str) -> bool:
        """Whether an instance waits for this operation, in the state that the API has left it in."""
        believed = await self._states.one(UUID(order.instance_id))
        if is_gone(believed):
            give_up(DELETED, "the instance was deleted")
        return believed == Believed(state, order.operation)

    @activity.defn
    async def shut_down(self, order: Order) -> None:
        """Stop what runs, so that nothing is taken from a program that works; done when nothing runs."""
        while True:
            held = await self._held_under(order)
            if not any(its.state in ("starting", "running", "stopping") for its in held):
                return
            for its in held:
                if its.state in ("starting", "running"):
                    try:
                        await self._fleet.stop(await self._fleet.get(its.id), key=f"{its.id}:stop")
                    except FleetRefusal as refusal:
                        if refusal.code not in (*OUTDATED, "wrong_state", "not_found"):
                            raise
            await asyncio.sleep(POLL_SECONDS)

    @activity.defn
    async def current(self, order: Order) -> Reserved:
        """The GPUs that an instance has, not those that are about to take their place."""
        held = await held_by(self._fleet, order.instance_id)
        if not held:
            give_up(LOST, "it has no reservation")
        ids = {its.id for its in held}
        its = next(its for its in held if its.replaces not in ids)
        return Reserved(str(its.id), its.node, its.gpus, 0)

    @activity.defn
    async def reserve_instead(self, order: Order, has: Reserved, attempt: int) -> Reserved:
        """Reserve GPUs that are to take the place of those it has; the same ones for the same attempt."""
        if await self._states.is_gone(UUID(order.instance_id)):
            give_up(DELETED, "the instance was deleted")
        try:
            seen = await self._fleet.reserve(
                UUID(order.instance_id),
                order.gpu_type,
                order.gpu_count,
                key=f"{order.key}:{attempt}:reserve",
                replaces=UUID(has.reservation_id),
            )
        except FleetRefusal as refusal:
            give_up(NO_CAPACITY if refusal.code == "no_capacity" else REFUSED, str(refusal))
        found = seen.reservation
        return Reserved(str(found.id), found.node, found.gpus, attempt)

    @activity.defn
    async def release_all_but(self, order: Order, kept: str) -> None:
        """Release whatever else than the reservation ``kept`` an instance holds; done when those GPUs are free."""
        while others := [its for its in await self._held_under(order) if str(its.id) != kept]:
            await begin_release(self._fleet, others)
            await asyncio.sleep(POLL_SECONDS)

    @activity.defn
    async def record_stopped(self, order: Order) -> None:
        """Say that it is stopped."""
        told = {"message": "Stopped: its GPUs were given back."}
        await record(self._states, order, Move(order.operation, ("stopping",), "stopped"), told)

    @activity.defn
    async def record_not_started(self, order: Order, failure: Failure) -> None:
        """Say that it stays stopped, and why."""
        move = Move(order.operation, ("starting",), "stopped", event="not_started")
        await record(self._states, order, move, _told("Not started", failure))

    @activity.defn
    async def record_resized(self, order: Order, reserved: Reserved) -> None:
        """Say that it runs on other GPUs, how many, and where."""
        told = {
            "message": f"Resized to {order.gpu_count} × {order.gpu_type}: runs on {reserved.node}.",
            "node": reserved.node,
            "gpus": reserved.gpus,
        }
        move = Move(order.operation, ("resizing",), "running", event="resized", gpu_count=order.gpu_count)
        await record(self._states, order, move, told)

    @activity.defn
    async def record_not_resized(self, order: Order, failure: Failure) -> None:
        """Say that it runs as before, and why."""
        move = Move(order.operation, ("resizing",), "running", event="not_resized")
        await record(self._states, order, move, _told("Not resized", failure))

    async def _held_under(self, order: Order) -> list[Reservation]:
        """What the instance holds by this operation; nothing, once there is a later one.

        A process that was paused may go on with a step that another one has been through with, and must not take from the
        instance what it was given since. What was seen before the operation was seen to be the last one is not that.
        """
        held = await held_by(self._fleet, order.instance_id)
        believed = await self._states.one(UUID(order.instance_id))
        if believed is None or believed.state == "deleted" or believed.operation == order.operation:
            return held
        return []


def every(fleet: Fleet, states: States) -> list[Callable[..., Any]]:
    """Every activity that there is, for the worker."""
    return [*Activities(fleet, states).all(), *OperationActivities(fleet, states).all()]


def _told(what: str, failure: Failure) -> dict[str, str]:
    return {"message": f"{what}: {why(failure.reason)}", "reason": failure.reason, "detail": failure.detail}
