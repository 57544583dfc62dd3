"""The fleet in numbers, for whoever operates the platform."""

from __future__ import annotations

from gpuaas.fleet import inventory
from gpuaas.fleet.client import Fleet
from gpuaas.provisioning.watch import Watch
from gpuaas.reporting import documents


async def report(fleet: Fleet, watch: Watch) -> documents.Fleet:
    """What the fleet says of itself, and where it and the database disagreed a moment ago.

    Raises FleetUnavailable and FleetRefusal.
    """
    capacity = await fleet.capacity()
    return documents.Fleet(
        capacity=[documents.Capacity(**each.model_dump()) for each in capacity],
        nodes=[_node(each) for each in await fleet.nodes()],
        disagreements=[
            documents.Disagreement(instance_id=each.instance_id, reason=each.reason, detail=each.detail)
            for each in watch.disagreements
        ],
        settled=watch.settled.done(),
    )


def _node(node: inventory.Node) -> documents.Node:
    return documents.Node(
        name=node.name,
        gpu_type=node.gpu_type,
        state=node.state,
        total=len(node.gpus),
        reserved=sum(gpu.reservation is not None for gpu in node.gpus),
        free=sum(gpu.state == "free" for gpu in node.gpus) if node.state == "ready" else 0,
        faulty=sum(gpu.state == "faulty" for gpu in node.gpus),
    )
