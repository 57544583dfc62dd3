"""The workflows. Their code is replayed from histories: a change that asks for other steps needs ``workflow.patched``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from gpuaas.provisioning.activities import Activities
    from gpuaas.provisioning.order import DELETED, RETRIED, Disagreement, Failure, Order, Reserved

ROUNDS = 3
_RETRY = RetryPolicy(initial_interval=timedelta(seconds=0.5), maximum_interval=timedelta(seconds=10))
# A worker that was killed is known by its silence: what it was doing is given to the next one after so long. Longer than the
# fleet and the database are waited for, and what is done meanwhile by both has one effect all the same.
_SILENCE = timedelta(seconds=8)
# The fleet may be away for long; the tenant is told after an hour, and not before.
FLEET: dict[str, Any] = {
    "retry_policy": _RETRY,
    "schedule_to_close_timeout": timedelta(hours=1),
    "start_to_close_timeout": timedelta(minutes=15),
    "heartbeat_timeout": _SILENCE,
}
# What is decided is recorded, and what is held is released, however long that takes.
ALWAYS: dict[str, Any] = {
    "retry_policy": _RETRY,
    "start_to_close_timeout": timedelta(minutes=15),
    "heartbeat_timeout": _SILENCE,
}
_LOOK: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=20),
    "retry_policy": RetryPolicy(maximum_attempts=2),
}
RECORD: dict[str, Any] = {"retry_policy": _RETRY, "start_to_close_timeout": _SILENCE}


@workflow.defn(name="ProvisionInstance")
class ProvisionInstance:
    """Reserve GPUs, attach storage, start, verify; whatever fails is released, and other GPUs are tried."""

    @workflow.run
    async def run(self, order: Order) -> str:
        """Returns the state that the instance came to: running, failed, deleted, or unchanged."""
        try:
            if not await workflow.execute_activity_method(Activities.begin, order, **RECORD):
                return "unchanged"
            return await self._provision(order)
        except ActivityError as error:
            if failure_of(error).reason != DELETED:
                raise
            await release(order.instance_id)
            return DELETED

    async def _provision(self, order: Order) -> str:
        if failure := await bring_up(order, give_back=lambda its: release(its.instance_id)):
            await workflow.execute_activity_method(Activities.record_failed, args=[order, failure], **RECORD)
            return "failed"
        return "running"


@workflow.defn(name="ReleaseInstance")
class ReleaseInstance:
    """Give back what a deleted instance holds.

    A provisioning that is still under way sees the deletion when it records its next state, and releases by itself what
    it reserves after this has looked.
    """

    @workflow.run
    async def run(self, order: Order) -> str:
        """Returns released."""
        await release(order.instance_id)
        await workflow.execute_activity_method(Activities.record_released, order.instance_id, **RECORD)
        return "released"


@workflow.defn(name="SettleInstance")
class SettleInstance:
    """Make the database and the fleet agree on an instance: what does not run is said to, and what nobody has is released."""

    @workflow.run
    async def run(self, found: Disagreement) -> None:
        """Done when nothing is held any more."""
        if found.reason:
            await workflow.execute_activity_method(Activities.record_lost, found, **RECORD)
        # Histories of before have the other branch. What was failed or deleted stayed so, and all that it held could go; what
        # is stopped may be started meanwhile. The branch and its history may go once none of them can be under way.
        if workflow.patched("release-only-what-is-unwanted"):
            await workflow.execute_activity_method(Activities.release_unwanted, found.instance_id, **ALWAYS)
        else:
            await release(found.instance_id)


@workflow.defn(name="Look")
class Look:
    """A workflow that is run to see that one comes to its end."""

    @workflow.run
    async def run(self) -> list[Disagreement]:
        """Where the database and the fleet disagree."""
        return await workflow.execute_activity_method(Activities.look, **_LOOK)


async def bring_up(order: Order, give_back: Callable[[Order], Awaitable[None]]) -> Failure | None:
    """Have an instance run on GPUs of which it holds none yet; why not, and then it holds none again.

    Raises ActivityError when it was deleted.
    """
    failure = Failure("", "")
    for attempt in range(1, ROUNDS + 1):
        try:
            reserved = await workflow.execute_activity_method(Activities.reserve, args=[order, attempt], **FLEET)
            await prepare(reserved)
            await workflow.execute_activity_method(Activities.record_running, args=[order, reserved], **RECORD)
        except ActivityError as error:
            failure = failure_of(error)
            if failure.reason == DELETED:
                raise
            await give_back(order)
            if failure.reason not in RETRIED:
                break
        else:
            return None
    return failure


async def prepare(reserved: Reserved) -> None:
    """Have what is reserved run, and checked. Raises ActivityError."""
    for step in (Activities.attach_storage, Activities.start, Activities.verify):
        await workflow.execute_activity_method(step, reserved, **FLEET)


async def release(instance_id: str) -> None:
    """Give back all that an instance holds, however long that takes."""
    await workflow.execute_activity_method(Activities.release, instance_id, **ALWAYS)


def failure_of(error: ActivityError) -> Failure:
    """What an activity failed for."""
    cause = error.cause
    if isinstance(cause, ApplicationError) and cause.type:
        return Failure(cause.type, cause.message)
    return Failure("fleet_unavailable", str(cause or error))
