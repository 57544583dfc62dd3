"""Begins a workflow for an event.

Its id is made of the instance, what is done and which operation that is, so it is begun once at a time. One that is begun again later, by an event
of a stream that was rebuilt, sees in the database that there is nothing to do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from gpuaas.messaging.consumer import Delivery
from gpuaas.messaging.events import Event
from gpuaas.messaging.poison import Poison, Unavailable
from gpuaas.provisioning.order import TASK_QUEUE, Order

BEGUN = {
    "instance.requested": ("provision", "ProvisionInstance"),
    "instance.stopping": ("stop", "StopInstance"),
    "instance.starting": ("start", "StartInstance"),
    "instance.resizing": ("resize", "ResizeInstance"),
    "instance.deleted": ("release", "ReleaseInstance"),
}
FILTERS = tuple(f"instances.*.{name.removeprefix('instance.')}" for name in BEGUN)
INSTANCE_ID = SearchAttributeKey.for_keyword("InstanceId")
PROJECT = SearchAttributeKey.for_keyword("Project")


class Starter:
    """The handler of the consumer."""

    def __init__(self, client: Callable[[], Client]) -> None:
        self._client = client

    async def handle(self, delivery: Delivery) -> None:
        """Begin the workflow of an event, unless it is under way. Raises Poison and Unavailable."""
        event = delivery.event
        what, workflow = BEGUN[event.type]
        order = order_of(event)
        try:
            await self._client().start_workflow(
                workflow,
                order,
                id=workflow_id(what, order.instance_id, order.operation),
                task_queue=TASK_QUEUE,
                search_attributes=TypedSearchAttributes(
                    [SearchAttributePair(INSTANCE_ID, order.instance_id), SearchAttributePair(PROJECT, order.project)]
                ),
            )
        except WorkflowAlreadyStartedError:
            return
        except RPCError as error:
            raise Unavailable(f"Temporal: {error.status.name}: {error}") from None


def workflow_id(what: str, instance_id: str, operation: int) -> str:
    """The same for each event that asks for the same."""
    return f"{what}-{instance_id}-{operation}" if operation else f"{what}-{instance_id}"


def order_of(event: Event) -> Order:
    """What the event asks for. Raises Poison."""
    given: Any = event.data.get("instance")
    try:
        order = Order(
            instance_id=str(event.instance_id),
            project=given["project"],
            name=given["name"],
            gpu_type=given["gpu_type"],
            gpu_count=given["wanted_gpu_count" if event.type == "instance.resizing" else "gpu_count"],
            operation=event.data.get("operation", 0),
        )
    except (KeyError, TypeError):
        raise Poison("malformed_event", "the event does not describe its instance") from None
    texts = (order.project, order.name, order.gpu_type)
    if not all(isinstance(text, str) and text for text in texts) or not _are_numbers(order.gpu_count, order.operation):
        raise Poison("malformed_event", "the event describes its instance in other types")
    return order


def _are_numbers(*values: object) -> bool:
    return all(isinstance(value, int) for value in values)
