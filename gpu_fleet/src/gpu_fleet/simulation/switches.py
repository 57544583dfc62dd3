"""Faults are set and taken back here, whoever asks for it."""

from __future__ import annotations

import sqlite3

from gpu_fleet.simulation import faults
from gpu_fleet.simulation.faults import Fault, GpuError, NodeFlapping, NodeLost, NodeSlow
from gpu_fleet.simulation.hardware import Hardware


class FaultError(Exception):
    """A fault that cannot be set; one line."""


def put(db: sqlite3.Connection, hardware: Hardware, identity: str, source: str, fault: Fault, now: float) -> None:
    """Set a fault. Raises FaultError."""
    if isinstance(fault, NodeLost | NodeSlow | NodeFlapping) and fault.node not in hardware.inventory.nodes:
        raise FaultError(f"There is no node {fault.node}.")
    if isinstance(fault, GpuError) and fault.gpu is not None and not hardware.inventory.node_of(fault.gpu):
        raise FaultError(f"There is no GPU {fault.gpu}.")
    found = faults.every(db)
    if len(found) >= faults.MAX_FAULTS:
        raise FaultError(f"There are {faults.MAX_FAULTS} faults; take one back first.")
    if isinstance(fault, NodeSlow) and any(
        isinstance(its.fault, NodeSlow) and its.fault.node == fault.node for its in found
    ):
        raise FaultError(f"Node {fault.node} is slow already; take that fault back first.")
    if any(its.id == identity for its in found):
        raise FaultError(f"There is a fault {identity}; take it back first.")
    faults.add(db, identity, source, fault, now)
    if isinstance(fault, NodeSlow):
        _stretch(db, fault.node, fault.factor, now)


def take(db: sqlite3.Connection, identity: str, source: str, now: float) -> None:
    """Take a fault back that the same source has set. Raises FaultError."""
    its = next((its for its in faults.every(db) if its.id == identity), None)
    if its is None:
        raise FaultError(f"There is no fault {identity}.")
    if its.source != source:
        raise FaultError(f"Fault {identity} is set by: {its.source}; there it is taken back.")
    faults.remove(db, identity)
    if isinstance(its.fault, NodeSlow):
        _stretch(db, its.fault.node, 1 / its.fault.factor, now)


def _stretch(db: sqlite3.Connection, node: str, factor: float, now: float) -> None:
    """What has begun on a node takes so many times as long from now on."""
    db.execute(
        "UPDATE reservations SET due = ? + (due - ?) * ? WHERE node = ? AND due > ?", [now, now, factor, node, now]
    )
