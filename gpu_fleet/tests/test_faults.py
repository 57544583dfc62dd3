"""What can be made to fail, and what a controller sees of it."""

from __future__ import annotations

import itertools
import json
import uuid
from typing import Any

import pytest

from conftest import Start
from support.machine import SIMULATION, Machine


def test_a_lost_node_takes_what_it_has(machine: Machine) -> None:
    its, other = machine.running(gpu_count=8), machine.running(gpu_count=8)
    machine.put_fault(kind="node_lost", node=its["node"])
    failed = machine.get(its["id"])
    assert (failed["state"], failed["reason"], failed["operation"]) == ("failed", "node_lost", None)
    assert machine.get(other["id"])["state"] == "running"
    assert machine.node(its["node"])["state"] == "lost"
    machine.release(its["id"])
    machine.pass_seconds(10)
    assert machine.free("H100") == 0
    machine.take_fault_back()
    assert machine.free("H100") == 8
    assert machine.get(its["id"])["state"] == "released"


def test_a_node_that_is_back_does_not_revive_what_failed(machine: Machine) -> None:
    its = machine.running()
    machine.put_fault(kind="node_lost", node=its["node"])
    machine.take_fault_back()
    assert machine.node(its["node"])["state"] == "ready"
    assert machine.get(its["id"])["state"] == "failed"


def test_what_ends_before_a_loss_has_ended(machine: Machine) -> None:
    its = machine.reserved()
    machine.begin("start", its["id"])
    machine.put_fault(kind="node_flapping", node=its["node"], period_seconds=60)
    assert machine.ledger(its["id"]) == ["reserve", "start", "failed"]
    machine.pass_seconds(61)
    second = machine.reserved(gpu_count=6)
    assert second["node"] == its["node"]
    machine.begin("start", second["id"])
    machine.pass_seconds(3_600)
    assert machine.get(second["id"])["reason"] == "node_lost"
    assert machine.ledger(second["id"]) == ["reserve", "start", "start ended", "failed"]


def test_a_flapping_node_comes_and_goes(machine: Machine) -> None:
    machine.put_fault(kind="node_flapping", node="gpu-03", period_seconds=10)
    seen = []
    for _each in range(5):
        seen.append(machine.node("gpu-03")["state"])
        machine.pass_seconds(10)
    assert seen == ["lost", "ready", "lost", "ready", "lost"]


def test_a_slow_node_takes_longer_also_for_what_has_begun(machine: Machine) -> None:
    its = machine.reserved()
    machine.begin("start", its["id"])
    machine.put_fault(kind="node_slow", node=its["node"], factor=10)
    machine.pass_seconds(200)
    assert machine.get(its["id"])["state"] == "starting"
    machine.take_fault_back()
    machine.pass_seconds(40)
    assert machine.get(its["id"])["state"] == "running"
    machine.put_fault(kind="node_slow", node=its["node"], factor=10)
    machine.begin("stop", its["id"])
    machine.pass_seconds(60)
    assert machine.get(its["id"])["state"] == "stopping"


@pytest.mark.parametrize(("error", "code"), [("xid", 79), ("ecc", 48)])
def test_an_error_while_it_runs_is_seen_at_once_and_by_a_verification(machine: Machine, error: str, code: int) -> None:
    its = machine.running()
    before = machine.etag(its["id"])
    machine.put_fault(kind="gpu_error", error=error, instance=its["instance"])
    seen = machine.get(its["id"])
    (finding,) = seen["health"]["findings"]
    assert (seen["state"], seen["health"]["state"]) == ("running", "unhealthy")
    assert (finding["kind"], finding["code"]) == (error, code)
    assert finding["gpu"] in its["gpus"]
    assert machine.etag(its["id"]) != before
    machine.begin("verify", its["id"])
    machine.pass_seconds(30)
    assert machine.get(its["id"])["health"]["findings"] == [finding]
    machine.take_fault_back()
    machine.begin("verify", its["id"])
    machine.pass_seconds(30)
    assert machine.get(its["id"])["health"]["state"] == "healthy"


def test_an_error_waits_for_an_instance_that_runs(machine: Machine) -> None:
    machine.put_fault(kind="gpu_error")
    its = machine.reserved()
    assert machine.get(its["id"])["health"] is None
    machine.begin("start", its["id"])
    machine.pass_seconds(60)
    assert machine.get(its["id"])["health"]["state"] == "unhealthy"


def test_a_gpu_with_errors_is_not_given(machine: Machine) -> None:
    bad = machine.node("gpu-03")["gpus"][0]["uuid"]
    machine.put_fault(kind="gpu_error", gpu=bad)
    assert machine.reserve("A100", 8).status_code == 409
    assert bad not in machine.reserved("A100", 7)["gpus"]
    assert machine.node("gpu-03")["gpus"][0]["state"] == "faulty"


def test_capacity_that_is_gone_by_the_start(machine: Machine) -> None:
    its = machine.reserved()
    machine.put_fault(kind="capacity_gone", instance=its["instance"])
    other = machine.running()
    assert machine.begin("start", its["id"]).status_code == 202
    machine.pass_seconds(60)
    failed = machine.get(its["id"])
    assert (failed["state"], failed["reason"]) == ("failed", "capacity_gone")
    assert machine.get(other["id"])["state"] == "running"
    machine.release(its["id"])
    machine.pass_seconds(10)
    assert machine.running(instance=its["instance"])


@pytest.mark.parametrize("how", ["unavailable", "garbled", "late"])
def test_an_answer_is_lost_after_its_effect(machine: Machine, how: str) -> None:
    machine.put_fault(kind="reply_lost", how=how, operation="reserve", seconds=0.01)
    instance = str(uuid.uuid4())
    answer = machine.reserve(instance=instance, key="one")
    match how:
        case "unavailable":
            assert answer.status_code == 503
        case "garbled":
            with pytest.raises(json.JSONDecodeError):
                answer.json()
        case "late":
            assert answer.status_code == 201
    assert machine.reserve(instance=instance, key="one").status_code == 200
    assert machine.free("H100") == 14


def test_which_answers_are_lost(machine: Machine) -> None:
    machine.put_fault(kind="reply_lost", how="unavailable", times=2)
    its = [machine.reserve() for _each in range(3)]
    assert [answer.status_code for answer in its] == [503, 503, 201]
    machine.put_fault("reads", kind="reply_lost", how="unavailable", operation="read", times=None)
    assert machine.api.get("/v1/nodes").status_code == 503
    machine.take_fault_back("reads")
    machine.put_fault("stop", kind="reply_lost", how="unavailable", operation="stop", times=None)
    identity = its[-1].json()["id"]
    assert machine.begin("start", identity).status_code == 202
    assert machine.begin("stop", identity).status_code == 503
    machine.put_fault("release", kind="reply_lost", how="unavailable", operation="release")
    assert machine.release(identity).status_code == 503
    assert machine.get(identity)["state"] == "releasing"


def test_a_share_of_the_answers_is_lost_the_same_with_each_seed(start: Start) -> None:
    def pattern(seed: str) -> list[int]:
        machine = start(GPU_FLEET_SEED=seed, GPU_FLEET_NODES=",".join(["8xH100"] * 4))
        machine.put_fault(kind="reply_lost", how="unavailable", share=0.5, times=None)
        found = [machine.reserve("H100", 1).status_code for _each in range(24)]
        machine.simulation.delete(f"{SIMULATION}/reservations")
        machine.take_fault_back()
        return found

    first, again, other = pattern("a"), pattern("a"), pattern("b")
    assert first == again != other
    assert 6 < first.count(503) < 18


def test_faults_survive_a_restart(start: Start) -> None:
    machine = start()
    its = machine.running()
    machine.put_fault("away", kind="node_lost", node="gpu-03")
    machine.put_fault("bad", kind="gpu_error", instance=its["instance"])
    machine.put_fault("lost", kind="reply_lost", how="unavailable", times=2)
    assert machine.reserve("L40S").status_code == 503
    before = machine.get(its["id"])
    again = start()
    assert again.node("gpu-03")["state"] == "lost"
    assert again.get(its["id"]) == before
    assert [again.reserve("L40S", 1).status_code for _each in range(2)] == [503, 201]


def test_time_passes_while_it_is_away(start: Start) -> None:
    machine = start()
    its = machine.reserved()
    machine.begin("start", its["id"])
    machine.pass_seconds(100)
    again = start()
    found = again.get(its["id"])
    assert found["state"] == "running"
    assert found["updated_at"] < again.reserved()["created_at"]


def test_time_can_pass_faster(start: Start) -> None:
    machine = start()
    its = machine.reserved()
    machine.begin("start", its["id"])
    machine.simulation.put(f"{SIMULATION}/clock", json={"speed": 100}).raise_for_status()
    machine.pass_seconds(0.6)
    assert machine.get(its["id"])["state"] == "running"
    again = start()
    assert again.simulation.get(f"{SIMULATION}/clock").json() == {"speed": 100}
    changed = start(GPU_FLEET_SPEED="2")
    assert changed.simulation.get(f"{SIMULATION}/clock").json() == {"speed": 2}
    assert changed.get(its["id"])["state"] == "running"


def test_a_node_that_the_settings_no_longer_name_is_lost(start: Start) -> None:
    machine = start()
    its, other = machine.reserved("L40S"), machine.reserved("A100")
    again = start(GPU_FLEET_NODES="8xH100,8xH100,8xA100")
    assert again.get(its["id"])["reason"] == "node_lost"
    assert again.get(other["id"])["state"] == "reserved"
    again.release(its["id"])
    again.pass_seconds(10)
    assert again.get(its["id"])["state"] == "released"


def test_the_file_is_read_whenever_it_changes(machine: Machine) -> None:
    machine.write_faults([{"id": "away", "kind": "node_lost", "node": "gpu-03"}])
    assert machine.node("gpu-03")["state"] == "lost"
    machine.put_fault("mine", kind="node_lost", node="gpu-04")
    machine.write_faults([{"id": "gone", "kind": "node_lost", "node": "gpu-02"}])
    states = {its["name"]: its["state"] for its in machine.api.get("/v1/nodes").json()["items"]}
    assert states == {"gpu-01": "ready", "gpu-02": "lost", "gpu-03": "ready", "gpu-04": "lost"}
    machine.settings.faults_file.unlink()
    assert machine.node("gpu-02")["state"] == "ready"
    assert machine.node("gpu-04")["state"] == "lost"


def test_what_only_the_file_sets_only_the_file_takes_back(machine: Machine) -> None:
    machine.write_faults([{"id": "away", "kind": "node_lost", "node": "gpu-03"}])
    machine.simulation.delete(f"{SIMULATION}/faults")
    assert machine.simulation.delete(f"{SIMULATION}/faults/away").status_code == 409
    assert machine.node("gpu-03")["state"] == "lost"


BROKEN: list[str | list[dict[str, Any]]] = [
    "[",
    "{}",
    '["node_lost"]',
    [{"kind": "node_lost", "node": "gpu-01"}],
    [{"id": "a", "kind": "node_lost", "node": "gpu-01"}, {"id": "a", "kind": "node_lost", "node": "gpu-02"}],
    [{"id": "a", "kind": "node_lost", "node": "gpu-99"}],
    [{"id": "a", "kind": "fire"}],
    [{"id": "b", "kind": "node_lost", "node": "gpu-01"}, {"id": "mine", "kind": "node_lost", "node": "gpu-02"}],
    "\0" * 300_000,
]


@pytest.mark.parametrize("broken", BROKEN, ids=itertools.count())
def test_a_broken_file_changes_nothing_and_is_told_of(machine: Machine, broken: str | list[dict[str, Any]]) -> None:
    machine.write_faults([{"id": "away", "kind": "node_lost", "node": "gpu-03"}])
    machine.put_fault("mine", kind="node_lost", node="gpu-04")
    assert machine.node("gpu-03")["state"] == "lost"
    machine.write_faults(broken)
    assert [machine.node(f"gpu-{number:02d}")["state"] for number in (1, 2, 3, 4)] == ["ready", "ready", "lost", "lost"]
    assert machine.simulation.get(f"{SIMULATION}/faults").json()["file_problem"]
    machine.write_faults([])
    assert machine.node("gpu-03")["state"] == "ready"
    assert machine.simulation.get(f"{SIMULATION}/faults").json()["file_problem"] is None


def test_faults_that_cannot_be(machine: Machine) -> None:
    refused: dict[int, list[dict[str, Any]]] = {
        409: [
            {"kind": "node_lost", "node": "gpu-99"},
            {"kind": "gpu_error", "gpu": "GPU-none"},
        ],
        400: [
            {"kind": "node_slow", "node": "gpu-01", "factor": 0.5},
            {"kind": "fire"},
            {"kind": "reply_lost", "share": 2},
            {"kind": "node_lost", "node": "gpu-01", "more": 1},
        ],
    }
    for status, wanted in refused.items():
        for fault in wanted:
            assert machine.simulation.put(f"{SIMULATION}/faults/x", json=fault).status_code == status
    assert machine.simulation.delete(f"{SIMULATION}/faults/x").status_code == 409
    machine.put_fault("x", kind="node_lost", node="gpu-01")
    twice = machine.simulation.put(f"{SIMULATION}/faults/x", json={"kind": "node_lost", "node": "gpu-01"})
    assert twice.status_code == 409
    slow = {"kind": "node_slow", "node": "gpu-01", "factor": 2}
    machine.put_fault("slow", **slow)
    assert machine.simulation.put(f"{SIMULATION}/faults/slower", json=slow).status_code == 409
