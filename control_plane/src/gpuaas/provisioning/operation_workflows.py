"""The workflows of what is done with an instance that is there. As in ``workflows``, their code is replayed from histories."""

from __future__ import annotations

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from gpuaas.provisioning.operation_activities import OperationActivities
    from gpuaas.provisioning.order import DELETED, RETRIED, Failure, Order, Reserved
    from gpuaas.provisioning.workflows import ALWAYS, FLEET, RECORD, ROUNDS, bring_up, failure_of, prepare, release

UNCHANGED = "unchanged"


@workflow.defn(name="StopInstance")
class StopInstance:
    """Stop what runs, and give back the GPUs. There is no way back from here: it goes on until they are free."""

    @workflow.run
    async def run(self, order: Order) -> str:
        """Returns the state that the instance came to: stopped, deleted, or unchanged."""
        try:
            if not await _is_due(order, "stopping"):
                return UNCHANGED
            await workflow.execute_activity_method(OperationActivities.shut_down, order, **ALWAYS)
            await _release_all_but(order)
            await workflow.execute_activity_method(OperationActivities.record_stopped, order, **RECORD)
        except ActivityError as error:
            return await _given_up(order, error)
        return "stopped"


@workflow.defn(name="StartInstance")
class StartInstance:
    """As a new instance comes up, but one that does not stays stopped."""

    @workflow.run
    async def run(self, order: Order) -> str:
        """Returns the state that the instance came to: running, stopped, deleted, or unchanged."""
        try:
            if not await _is_due(order, "starting"):
                return UNCHANGED
            failure = await bring_up(order, give_back=_release_all_but)
            if failure is None:
                return "running"
            args = [order, failure]
            await workflow.execute_activity_method(OperationActivities.record_not_started, args=args, **RECORD)
        except ActivityError as error:
            return await _given_up(order, error)
        return "stopped"


@workflow.defn(name="ResizeInstance")
class ResizeInstance:
    """Reserve other GPUs, have them run, then release those of before; whatever fails is released, and it runs as before."""

    @workflow.run
    async def run(self, order: Order) -> str:
        """Returns what came of it: resized, not_resized, deleted, or unchanged."""
        try:
            if not await _is_due(order, "resizing"):
                return UNCHANGED
            moved = await self._moved(order)
            if isinstance(moved, Failure):
                args = [order, moved]
                await workflow.execute_activity_method(OperationActivities.record_not_resized, args=args, **RECORD)
                return "not_resized"
            await _release_all_but(order, moved.reservation_id)
            await workflow.execute_activity_method(OperationActivities.record_resized, args=[order, moved], **RECORD)
        except ActivityError as error:
            return await _given_up(order, error)
        return "resized"

    async def _moved(self, order: Order) -> Reserved | Failure:
        """GPUs that run in place of those it has; or why not, and then it has those of before alone."""
        try:
            has: Reserved = await workflow.execute_activity_method(OperationActivities.current, order, **FLEET)
        except ActivityError as error:
            return failure_of(error)
        if len(has.gpus) == order.gpu_count:
            return has  # somebody has been through with it, and could not say so
        failure = Failure("", "")
        for attempt in range(1, ROUNDS + 1):
            try:
                found: Reserved = await workflow.execute_activity_method(
                    OperationActivities.reserve_instead, args=[order, has, attempt], **FLEET
                )
                await prepare(found)
            except ActivityError as error:
                failure = failure_of(error)
                if failure.reason == DELETED:
                    raise
                await _release_all_but(order, has.reservation_id)
                if failure.reason not in RETRIED:
                    break
            else:
                return found
        return failure


async def _is_due(order: Order, state: str) -> bool:
    return await workflow.execute_activity_method(OperationActivities.is_due, args=[order, state], **RECORD)


async def _release_all_but(order: Order, kept: str = "") -> None:
    await workflow.execute_activity_method(OperationActivities.release_all_but, args=[order, kept], **ALWAYS)


async def _given_up(order: Order, error: ActivityError) -> str:
    """A deletion goes before everything else: nothing is held, whatever had been reserved meanwhile."""
    if failure_of(error).reason != DELETED:
        raise error
    await release(order.instance_id)
    return DELETED
