"""A reservation that takes the place of another one, so that an instance can move without a gap."""

from __future__ import annotations

import sqlite3
import uuid
from importlib.resources import files
from pathlib import Path

from gpu_fleet.store import SCHEMAS, Store
from support.machine import Machine


def code(answer: object) -> tuple[int, str]:
    """Status and code of a problem."""
    return answer.status_code, answer.json()["code"]  # type: ignore[attr-defined]


def test_an_instance_has_both_until_the_old_one_is_released(machine: Machine) -> None:
    instance = str(uuid.uuid4())
    old = machine.reserved(gpu_count=2, instance=instance)
    new = machine.reserved(gpu_count=4, instance=instance, replaces=old["id"])
    assert (old["replaces"], new["replaces"]) == (None, old["id"])
    assert not set(new["gpus"]) & set(old["gpus"])
    assert machine.free("H100") == 10
    assert machine.get(old["id"])["state"] == "reserved"


def test_a_repetition_has_the_same_one(machine: Machine) -> None:
    instance = str(uuid.uuid4())
    old = machine.reserved(instance=instance)["id"]
    first = machine.reserve(instance=instance, replaces=old, key="one")
    again = machine.reserve(instance=instance, replaces=old, key="one")
    assert (first.status_code, again.status_code) == (201, 200)
    assert code(machine.reserve(instance=instance, key="one")) == (409, "idempotency_conflict")


def test_only_the_one_that_it_has_can_be_replaced_and_once(machine: Machine) -> None:
    instance, stranger = str(uuid.uuid4()), machine.reserved()["id"]
    assert code(machine.reserve(instance=instance, replaces=stranger)) == (409, "instance_reserved")
    old = machine.reserved(instance=instance)["id"]
    assert code(machine.reserve(instance=instance, replaces=stranger)) == (409, "instance_reserved")
    machine.reserved(instance=instance, replaces=old)
    assert code(machine.reserve(instance=instance, replaces=old)) == (409, "instance_reserved")
    assert code(machine.reserve(instance=instance)) == (409, "instance_reserved")


def test_without_room_the_old_one_stays(machine: Machine) -> None:
    instance = str(uuid.uuid4())
    old = machine.reserved("A100", 5, instance=instance)["id"]
    assert code(machine.reserve("A100", 4, instance=instance, replaces=old)) == (409, "no_capacity")
    assert machine.get(old)["state"] == "reserved"


def test_a_store_of_before_has_what_it_had(tmp_path: Path) -> None:
    file = tmp_path / "fleet.sqlite"
    with sqlite3.connect(file) as db:
        db.executescript((files("gpu_fleet") / SCHEMAS[0]).read_text(encoding="utf-8"))
        db.execute(
            "INSERT INTO reservations (id, instance, gpu_type, node, gpus, state, created, updated)"
            " VALUES ('one', 'its', 'H100', 'gpu-01', '[]', 'running', 0, 0)"
        )
        db.execute("PRAGMA user_version = 1")
    db.close()
    store = Store(file)
    with store.transaction() as its:
        assert [tuple(row) for row in its.execute("SELECT id, replaces FROM reservations")] == [("one", None)]
    store.close()
