"""Begins a workflow for an event.

Its id is made of the instance and what is done, so it is begun once at a time. One that is begun again later, by an event
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

FILTERS = ("instances.*.requested", "instances.*.deleted")
_BEGUN = {"instance.requested": ("provision", "ProvisionInstance"), "instance.deleted": ("release", "ReleaseInstance")}
INSTANCE_ID = SearchAttributeKey.for_keyword("InstanceId")
PROJECT = SearchAttributeKey.for_keyword("Project")


class Starter:
    """The handler of the consumer."""

    def __init__(self, client: Callable[[], Client]) -> None:
        self._client = client

    async def handle(self, delivery: Delivery) -> None:
        """Begin the workflow of an event, unless it is under way. Raises Poison and Unavailable."""
        event = delivery.event
        what, workflow = _BEGUN[event.type]
        order = order_of(event)
        try:
            await self._client().start_workflow(
                workflow,
                order,
                id=f"{what}-{order.instance_id}",
                task_queue=TASK_QUEUE,
                search_attributes=TypedSearchAttributes(
                    [SearchAttributePair(INSTANCE_ID, order.instance_id), SearchAttributePair(PROJECT, order.project)]
                ),
            )
        except WorkflowAlreadyStartedError:
            return
        except RPCError as error:
            raise Unavailable(f"Temporal: {error.status.name}: {error}") from None


def order_of(event: Event) -> Order:
    """What the event asks for. Raises Poison."""
    given: Any = event.data.get("instance")
    try:
        order = Order(
            instance_id=str(event.instance_id),
            project=given["project"],
            name=given["name"],
            gpu_type=given["gpu_type"],
            gpu_count=given["gpu_count"],
        )
    except (KeyError, TypeError):
        raise Poison("malformed_event", "the event does not describe its instance") from None
    texts = (order.project, order.name, order.gpu_type)
    if not all(isinstance(text, str) and text for text in texts) or not isinstance(order.gpu_count, int):
        raise Poison("malformed_event", "the event describes its instance in other types")
    return order
