"""What the fleet knows, as it goes over the wire."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from uuid import UUID

from gpu_fleet import clock, reservations
from gpu_fleet.api import models
from gpu_fleet.fleet import NodeSeen
from gpu_fleet.inventory import Gpu, GpuType


def reservation(its: reservations.Reservation) -> models.Reservation:
    """A reservation."""
    storage = its.storage_gib and models.Storage(
        size_gib=its.storage_gib, state="attached" if its.storage_attached else "attaching"
    )
    return models.Reservation(
        id=UUID(its.id),
        instance=UUID(its.instance),
        gpu_type=its.gpu_type,
        gpu_count=len(its.gpus),
        node=its.node,
        gpus=list(its.gpus),
        state=its.state,
        reason=its.reason,
        operation=its.operation,
        storage=storage or None,
        health=_health(its.health) if its.health else None,
        workload=_workload(its.workload) if its.workload else None,
        replaces=UUID(its.replaces) if its.replaces else None,
        created_at=clock.shown(its.created),
        updated_at=clock.shown(its.updated),
    )


def reservation_list(found: Iterable[reservations.Reservation]) -> models.ReservationList:
    """Several."""
    return models.ReservationList(items=[reservation(its) for its in found])


def node_list(found: Iterable[NodeSeen]) -> models.NodeList:
    """Nodes with their GPUs."""
    return models.NodeList(
        items=[
            models.Node(
                name=seen.node.name,
                serial=seen.node.serial,
                gpu_type=seen.node.gpu_type,
                state="lost" if seen.lost else "ready",
                gpus=[_gpu(seen, gpu) for gpu in seen.node.gpus],
            )
            for seen in found
        ]
    )


def capacity_list(found: Iterable[NodeSeen]) -> models.CapacityList:
    """How much there is of each type, also of one that no node has."""
    found = list(found)
    return models.CapacityList(items=[_capacity(gpu_type, found) for gpu_type in GpuType])


def _capacity(gpu_type: GpuType, found: list[NodeSeen]) -> models.Capacity:
    nodes = [seen for seen in found if seen.node.gpu_type == gpu_type]
    total = sum(len(seen.node.gpus) for seen in nodes)
    free = sum(len(seen.free) for seen in nodes)
    reserved = sum(gpu.uuid in seen.taken for seen in nodes for gpu in seen.node.gpus)
    return models.Capacity(
        gpu_type=gpu_type,
        total=total,
        free=free,
        reserved=reserved,
        unavailable=total - free - reserved,
        largest=max((len(seen.free) for seen in nodes), default=0),
    )


def _gpu(seen: NodeSeen, gpu: Gpu) -> models.Gpu:
    holder, errors = seen.taken.get(gpu.uuid), seen.errors.get(gpu.uuid, ())
    state = models.GpuState.FAULTY if errors else models.GpuState.RESERVED if holder else models.GpuState.FREE
    return models.Gpu(
        uuid=gpu.uuid,
        serial=gpu.serial,
        state=state,
        reservation=UUID(holder) if holder else None,
        findings=[_finding(its) for its in errors],
    )


def _health(its: reservations.Health) -> models.Health:
    return models.Health(
        state="unhealthy" if its.findings else "healthy",
        checked_at=clock.shown(its.at),
        findings=[_finding(finding) for finding in its.findings],
    )


def _workload(its: reservations.Workload) -> models.Workload:
    return models.Workload(image=its.image, state=its.state, since=clock.shown(its.since))


def _finding(its: reservations.Finding) -> models.Finding:
    return models.Finding.model_validate(asdict(its))
