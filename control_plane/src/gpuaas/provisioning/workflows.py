"""The workflows. Their code is replayed from histories: a change that asks for other steps needs ``workflow.patched``."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from gpuaas.provisioning.activities import Activities
    from gpuaas.provisioning.order import DELETED, RETRIED, Disagreement, Failure, Order

ROUNDS = 3
_RETRY = RetryPolicy(initial_interval=timedelta(seconds=0.5), maximum_interval=timedelta(seconds=10))
# A worker that was killed is known by its silence: what it was doing is given to the next one after so long. Longer than the
# fleet and the database are waited for, and what is done meanwhile by both has one effect all the same.
_SILENCE = timedelta(seconds=8)
# The fleet may be away for long; the tenant is told after an hour, and not before.
_FLEET: dict[str, Any] = {
    "retry_policy": _RETRY,
    "schedule_to_close_timeout": timedelta(hours=1),
    "start_to_close_timeout": timedelta(minutes=15),
    "heartbeat_timeout": _SILENCE,
}
# What is decided is recorded, and what is held is released, however long that takes.
_ALWAYS: dict[str, Any] = {
    "retry_policy": _RETRY,
    "start_to_close_timeout": timedelta(minutes=15),
    "heartbeat_timeout": _SILENCE,
}
_LOOK: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=20),
    "retry_policy": RetryPolicy(maximum_attempts=2),
}
_RECORD: dict[str, Any] = {"retry_policy": _RETRY, "start_to_close_timeout": _SILENCE}


@workflow.defn(name="ProvisionInstance")
class ProvisionInstance:
    """Reserve GPUs, attach storage, start, verify; whatever fails is released, and other GPUs are tried."""

    @workflow.run
    async def run(self, order: Order) -> str:
        """Returns the state that the instance came to: running, failed, deleted, or unchanged."""
        try:
            if not await workflow.execute_activity_method(Activities.begin, order, **_RECORD):
                return "unchanged"
            return await self._provision(order)
        except ActivityError as error:
            if _failure(error).reason != DELETED:
                raise
            await _release(order.instance_id)
            return DELETED

    async def _provision(self, order: Order) -> str:
        failure = Failure("", "")
        for attempt in range(1, ROUNDS + 1):
            try:
                reserved = await workflow.execute_activity_method(Activities.reserve, args=[order, attempt], **_FLEET)
                for step in (Activities.attach_storage, Activities.start, Activities.verify):
                    await workflow.execute_activity_method(step, reserved, **_FLEET)
                await workflow.execute_activity_method(Activities.record_running, args=[order, reserved], **_RECORD)
            except ActivityError as error:
                failure = _failure(error)
                if failure.reason == DELETED:
                    raise
                await _release(order.instance_id)
                if failure.reason not in RETRIED:
                    break
            else:
                return "running"
        await workflow.execute_activity_method(Activities.record_failed, args=[order, failure], **_RECORD)
        return "failed"


@workflow.defn(name="ReleaseInstance")
class ReleaseInstance:
    """Give back what a deleted instance holds.

    A provisioning that is still under way sees the deletion when it records its next state, and releases by itself what
    it reserves after this has looked.
    """

    @workflow.run
    async def run(self, order: Order) -> str:
        """Returns released."""
        await _release(order.instance_id)
        await workflow.execute_activity_method(Activities.record_released, order.instance_id, **_RECORD)
        return "released"


@workflow.defn(name="SettleInstance")
class SettleInstance:
    """Make the database and the fleet agree on an instance: what does not run is said to, and what nobody has is released."""

    @workflow.run
    async def run(self, found: Disagreement) -> None:
        """Done when nothing is held any more."""
        if found.reason:
            await workflow.execute_activity_method(Activities.record_lost, found, **_RECORD)
        await _release(found.instance_id)


@workflow.defn(name="Look")
class Look:
    """A workflow that is run to see that one comes to its end."""

    @workflow.run
    async def run(self) -> list[Disagreement]:
        """Where the database and the fleet disagree."""
        return await workflow.execute_activity_method(Activities.look, **_LOOK)


async def _release(instance_id: str) -> None:
    await workflow.execute_activity_method(Activities.release, instance_id, **_ALWAYS)


def _failure(error: ActivityError) -> Failure:
    """What an activity failed for."""
    cause = error.cause
    if isinstance(cause, ApplicationError) and cause.type:
        return Failure(cause.type, cause.message)
    return Failure("fleet_unavailable", str(cause or error))
