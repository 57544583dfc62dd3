"""What runs on reserved GPUs: it is deployed once, seen as it does, and gone with them."""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import closing
from importlib.resources import files

import pytest

from conftest import Start
from gpu_fleet.process import FILE
from support.machine import Machine
from test_reservations import code


def state(machine: Machine, identity: str) -> str | None:
    """How the workload does, or None where there is none."""
    workload = machine.get(identity)["workload"]
    return workload and str(workload["state"])


def test_a_workload_is_deployed_and_removed(machine: Machine) -> None:
    its = machine.running()
    assert its["workload"] is None
    deploying = machine.begin("workload", its["id"], image="notebook:1").json()
    assert (deploying["operation"], deploying["workload"]["state"]) == ("deploy", "deploying")
    machine.pass_seconds(30)
    deployed = machine.get(its["id"])
    assert (deployed["operation"], deployed["workload"]["image"]) == (None, "notebook:1")
    assert deployed["workload"]["state"] == "healthy"
    removing = machine.remove(its["id"]).json()
    assert (removing["operation"], removing["workload"]["state"]) == ("remove", "removing")
    machine.pass_seconds(10)
    assert state(machine, its["id"]) is None
    assert machine.get(its["id"])["state"] == "running"
    assert machine.ledger(its["id"])[-4:] == ["deploy", "deploy ended", "remove", "remove ended"]


def test_a_deployment_is_repeated_with_its_key(machine: Machine) -> None:
    its = machine.running()
    seen = machine.etag(its["id"])
    first = machine.begin("workload", its["id"], key="one", etag=seen, image="notebook")
    again = machine.begin("workload", its["id"], key="one", etag=seen, image="notebook")
    assert (first.status_code, again.status_code) == (202, 200)
    assert machine.ledger(its["id"]).count("deploy") == 1
    other = machine.begin("workload", its["id"], key="one", etag=seen, image="inference")
    assert code(other) == (409, "idempotency_conflict")


def test_who_saw_less_deploys_and_removes_nothing(machine: Machine) -> None:
    its = machine.running()
    seen = machine.etag(its["id"])
    machine.begin("workload", its["id"], image="notebook")
    assert code(machine.begin("workload", its["id"], etag=seen, image="notebook")) == (412, "precondition_failed")
    assert code(machine.remove(its["id"], etag=seen)) == (412, "precondition_failed")


def test_a_reservation_has_one_workload(machine: Machine) -> None:
    its = machine.deployed()
    assert code(machine.begin("workload", its["id"], image="inference")) == (409, "wrong_state")


def test_a_removal_is_repeated_with_any_etag(machine: Machine) -> None:
    its = machine.deployed()
    seen = machine.etag(its["id"])
    assert machine.remove(its["id"], etag=seen).status_code == 202
    assert machine.remove(its["id"], etag=seen).status_code == 200
    machine.pass_seconds(10)
    again = machine.remove(its["id"], etag=seen)
    assert (again.status_code, again.json()["workload"]) == (200, None)
    assert machine.ledger(its["id"]).count("remove") == 1


def test_what_does_not_run_has_no_workload(machine: Machine) -> None:
    reserved = machine.reserved()
    assert code(machine.begin("workload", reserved["id"], image="notebook")) == (409, "wrong_state")
    for end in ("stop", "release", "lost"):
        its = machine.deployed("A100")
        match end:
            case "stop":
                assert machine.begin("stop", its["id"]).json()["workload"] is None
            case "release":
                assert machine.release(its["id"]).json()["workload"] is None
            case _:
                machine.put_fault(kind="node_lost", node=its["node"])
        assert state(machine, its["id"]) is None
        machine.release(its["id"])
        machine.pass_seconds(100)


def test_a_stop_ends_a_deployment(machine: Machine) -> None:
    its = machine.running()
    machine.begin("workload", its["id"], key="one", image="notebook")
    assert machine.begin("stop", its["id"]).status_code == 202
    machine.pass_seconds(100)
    assert machine.begin("start", its["id"]).status_code == 202
    machine.pass_seconds(100)
    assert state(machine, its["id"]) is None
    assert "deploy ended" not in machine.ledger(its["id"])


def test_one_that_crashes_stays_until_it_is_deployed_again(machine: Machine) -> None:
    other, its = machine.deployed(), machine.deployed()
    before = machine.etag(its["id"])
    machine.put_fault(kind="workload_crash", instance=its["instance"])
    assert state(machine, its["id"]) == "crashed"
    assert machine.etag(its["id"]) != before
    machine.pass_seconds(1_000)
    assert state(machine, its["id"]) == "crashed"
    assert machine.begin("workload", its["id"], image="notebook").status_code == 202
    machine.pass_seconds(30)
    assert (state(machine, its["id"]), state(machine, other["id"])) == ("healthy", "healthy")
    assert machine.ledger(its["id"]).count("workload crashed") == 1


@pytest.mark.parametrize("times", [1, 2, None])
def test_how_often_workloads_crash(machine: Machine, times: int | None) -> None:
    machine.put_fault(kind="workload_crash", times=times)
    its = machine.running()
    seen = []
    for _each in range(3):
        machine.begin("workload", its["id"], image="notebook")
        machine.pass_seconds(30)
        seen.append(state(machine, its["id"]))
    assert seen.count("crashed") == (times or 3)


def test_one_that_does_not_answer_is_unhealthy_until_it_does(machine: Machine) -> None:
    other, its = machine.deployed(), machine.deployed()
    machine.put_fault(kind="workload_unhealthy", instance=its["instance"])
    assert (state(machine, its["id"]), state(machine, other["id"])) == ("unhealthy", "healthy")
    machine.put_fault("all", kind="workload_unhealthy")
    assert state(machine, other["id"]) == "unhealthy"
    for fault in ("fault", "all"):
        machine.take_fault_back(fault)
    assert (state(machine, its["id"]), state(machine, other["id"])) == ("healthy", "healthy")
    assert machine.ledger(its["id"])[-2:] == ["workload unhealthy", "workload healthy"]


def test_a_slow_node_deploys_slowly(machine: Machine) -> None:
    its = machine.running()
    machine.put_fault(kind="node_slow", node=its["node"], factor=10)
    machine.begin("workload", its["id"], image="notebook")
    machine.pass_seconds(100)
    assert state(machine, its["id"]) == "deploying"
    machine.pass_seconds(200)
    assert state(machine, its["id"]) == "healthy"


@pytest.mark.parametrize("operation", ["deploy", "remove"])
def test_an_answer_is_lost_after_its_effect(machine: Machine, operation: str) -> None:
    its = machine.running() if operation == "deploy" else machine.deployed()
    machine.put_fault(kind="reply_lost", how="unavailable", operation=operation)

    def ask() -> int:
        if operation == "remove":
            return machine.remove(its["id"]).status_code
        return machine.begin("workload", its["id"], key="one", image="notebook").status_code

    assert (ask(), ask()) == (503, 200)
    assert machine.ledger(its["id"]).count(operation) == 1


@pytest.mark.parametrize("image", ["", "-x", "a b", "x" * 256, "a\n"])
def test_what_is_no_image(machine: Machine, image: str) -> None:
    its = machine.running()
    key = {"Idempotency-Key": uuid.uuid4().hex, "If-Match": machine.etag(its["id"])}
    answer = machine.api.post(f"/v1/reservations/{its['id']}/workload", json={"image": image}, headers=key)
    assert code(answer) == (400, "invalid_request")


def test_it_outlives_the_process(start: Start) -> None:
    machine = start()
    its = machine.deployed()
    assert start().get(its["id"]) == its


def test_a_store_of_before_there_were_workloads_is_used_on(start: Start, environment: dict[str, str]) -> None:
    before = (files("gpu_fleet") / "schema.sql").read_text(encoding="utf-8")
    with closing(sqlite3.connect(f"{environment['GPU_FLEET_DATA']}/{FILE}", autocommit=True)) as db:
        db.executescript(f"{before};\nPRAGMA user_version = 1")
    assert start().deployed()
    assert start().free("H100") == 14
