"""The nodes that there are: they follow from the settings, so nothing stores them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from gpu_fleet import chance

MAX_GPUS = 8  # an HGX baseboard holds no more
MAX_NODES = 64
_NODE = re.compile(r"([1-9])x([A-Z0-9]+)")


class GpuType(StrEnum):
    """What can be had."""

    H100 = "H100"
    A100 = "A100"
    L40S = "L40S"


@dataclass(frozen=True, slots=True)
class Gpu:
    """``uuid`` as NVIDIA's driver writes it: GPU- and a UUID."""

    uuid: str
    serial: str


@dataclass(frozen=True, slots=True)
class Node:
    """A machine whose GPUs are all of one type."""

    name: str
    serial: str
    gpu_type: GpuType
    gpus: tuple[Gpu, ...]


@dataclass(frozen=True, slots=True)
class Inventory:
    """All nodes, by name."""

    nodes: Mapping[str, Node]

    def of_type(self, gpu_type: GpuType) -> Iterable[Node]:
        """The nodes with GPUs of a type, by name."""
        return (node for node in self.nodes.values() if node.gpu_type == gpu_type)

    def node_of(self, gpu: str) -> Node | None:
        """Where a GPU is built in."""
        return next((node for node in self.nodes.values() if any(gpu == its.uuid for its in node.gpus)), None)


def parse(text: str) -> tuple[tuple[int, GpuType], ...]:
    """``8xH100,8xA100``: count and type of each node's GPUs. Raises ValueError."""
    found = tuple(_node(part) for part in text.split(","))
    if len(found) > MAX_NODES:
        raise ValueError
    return found


def build(seed: str, nodes: Iterable[tuple[int, GpuType]]) -> Inventory:
    """Names, serial numbers and UUIDs follow from the seed and from a node's place in the list."""
    built = {}
    for place, (count, gpu_type) in enumerate(nodes, start=1):
        name = f"gpu-{place:02d}"
        gpus = tuple(
            Gpu(f"GPU-{chance.identifier(seed, name, gpu_type, slot)}", chance.serial(seed, name, gpu_type, slot))
            for slot in range(count)
        )
        built[name] = Node(name, chance.serial(seed, name), gpu_type, gpus)
    return Inventory(built)


def _node(part: str) -> tuple[int, GpuType]:
    match = _NODE.fullmatch(part)
    if not match or int(match[1]) > MAX_GPUS:
        raise ValueError
    return int(match[1]), GpuType(match[2])
