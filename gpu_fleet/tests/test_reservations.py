"""What a controller may rely on."""

from __future__ import annotations

import uuid
from typing import Any

from support.machine import Machine


def code(answer: object) -> tuple[int, str]:
    """Status and code of a problem."""
    return answer.status_code, answer.json()["code"]  # type: ignore[attr-defined]


def test_a_reservation_is_of_one_node_and_type(machine: Machine) -> None:
    answer = machine.reserve("H100", 3)
    its = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/v1/reservations/{its['id']}"
    assert its["state"] == "reserved"
    assert len(its["gpus"]) == its["gpu_count"] == 3
    node = machine.node(its["node"])
    assert node["gpu_type"] == "H100"
    assert set(its["gpus"]) == {gpu["uuid"] for gpu in node["gpus"] if gpu["state"] == "reserved"}


def test_no_gpu_is_given_twice_and_the_last_one_is_given(machine: Machine) -> None:
    given = [gpu for _each in range(8) for gpu in machine.reserved("H100", 2)["gpus"]]
    assert len(set(given)) == 16
    assert code(machine.reserve("H100", 1)) == (409, "no_capacity")
    assert machine.free("H100") == 0
    assert machine.free("A100") == 8


def test_a_request_is_not_split_over_nodes(machine: Machine) -> None:
    machine.reserved("A100", 1)
    assert code(machine.reserve("A100", 8)) == (409, "no_capacity")


def test_small_requests_leave_room_for_large_ones(machine: Machine) -> None:
    assert machine.reserved("H100", 1)["node"] == machine.reserved("H100", 1)["node"]
    assert machine.reserve("H100", 8).status_code == 201


def test_a_repetition_has_no_second_effect(machine: Machine) -> None:
    instance = str(uuid.uuid4())
    first = machine.reserve(instance=instance, key="one")
    again = machine.reserve(instance=instance, key="one")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == first.json()
    assert again.headers["ETag"] == first.headers["ETag"]
    assert machine.free("H100") == 14


def test_a_key_is_for_one_body(machine: Machine) -> None:
    instance = str(uuid.uuid4())
    machine.reserve(instance=instance, gpu_count=2, key="one")
    assert code(machine.reserve(instance=instance, gpu_count=3, key="one")) == (409, "idempotency_conflict")


def test_a_key_is_for_one_operation(machine: Machine) -> None:
    its = machine.reserved(key="one")
    assert code(machine.begin("start", its["id"], key="one")) == (409, "idempotency_conflict")


def test_an_instance_has_one_reservation(machine: Machine) -> None:
    its = machine.reserved()
    assert code(machine.reserve(instance=its["instance"])) == (409, "instance_reserved")
    machine.release(its["id"])
    assert code(machine.reserve(instance=its["instance"])) == (409, "instance_reserved")
    machine.pass_seconds(10)
    assert machine.reserve(instance=its["instance"]).status_code == 201


def test_a_whole_life(machine: Machine) -> None:
    its = machine.reserved()
    attaching = machine.begin("storage", its["id"], size_gib=100)
    assert attaching.status_code == 202
    assert attaching.json()["storage"] == {"size_gib": 100, "state": "attaching"}
    machine.pass_seconds(10)
    assert machine.get(its["id"])["storage"]["state"] == "attached"
    assert machine.begin("start", its["id"]).json()["state"] == "starting"
    machine.pass_seconds(29)
    assert machine.get(its["id"])["state"] == "starting"
    machine.pass_seconds(22)
    assert machine.get(its["id"])["state"] == "running"
    verifying = machine.begin("verify", its["id"]).json()
    assert (verifying["operation"], verifying["health"]) == ("verify", None)
    machine.pass_seconds(26)
    verified = machine.get(its["id"])
    assert verified["operation"] is None
    assert verified["health"]["state"] == "healthy"
    assert machine.begin("stop", its["id"]).json()["state"] == "stopping"
    machine.pass_seconds(13)
    assert machine.get(its["id"])["state"] == "stopped"
    assert machine.release(its["id"]).json()["state"] == "releasing"
    assert machine.free("H100") == 14
    machine.pass_seconds(6)
    assert machine.get(its["id"])["state"] == "released"
    assert machine.free("H100") == 16
    assert machine.ledger(its["id"]) == [
        *("reserve", "storage", "storage ended", "start", "start ended"),
        *("verify", "verify ended", "stop", "stop ended", "release", "release ended"),
    ]


def test_what_was_stopped_starts_again_with_its_gpus(machine: Machine) -> None:
    its = machine.running()
    machine.begin("stop", its["id"])
    machine.pass_seconds(20)
    assert machine.begin("start", its["id"]).status_code == 202
    machine.pass_seconds(60)
    assert machine.get(its["id"])["gpus"] == its["gpus"]


def test_a_write_with_an_old_etag_has_no_effect(machine: Machine) -> None:
    its = machine.reserved()
    seen = machine.etag(its["id"])
    assert machine.begin("storage", its["id"], etag=seen, size_gib=1).status_code == 202
    for operation in ("storage", "start", "verify", "stop"):
        body: dict[str, Any] = {"size_gib": 1} if operation == "storage" else {}
        assert code(machine.begin(operation, its["id"], etag=seen, **body)) == (412, "precondition_failed")
    assert code(machine.release(its["id"], etag=seen)) == (412, "precondition_failed")
    assert machine.ledger(its["id"]) == ["reserve", "storage"]


def test_what_time_does_changes_the_etag_too(machine: Machine) -> None:
    its = machine.reserved()
    begun = machine.begin("start", its["id"]).headers["ETag"]
    machine.pass_seconds(60)
    assert machine.etag(its["id"]) != begun


def test_a_write_without_an_etag_or_a_key_is_refused(machine: Machine) -> None:
    its = machine.reserved()
    path = f"/v1/reservations/{its['id']}"
    assert code(machine.api.delete(path)) == (428, "precondition_required")
    assert code(machine.api.post(f"{path}/start", headers={"Idempotency-Key": "one"})) == (428, "precondition_required")
    assert code(machine.api.post(f"{path}/start", headers={"If-Match": '"1"'})) == (400, "idempotency_key_missing")
    body = {"instance": its["instance"], "gpu_type": "H100", "gpu_count": 1}
    assert code(machine.api.post("/v1/reservations", json=body)) == (400, "idempotency_key_missing")


def test_an_operation_is_repeated_with_its_key_and_the_etag_of_then(machine: Machine) -> None:
    its = machine.reserved()
    seen = machine.etag(its["id"])
    machine.begin("start", its["id"], key="start", etag=seen)
    machine.pass_seconds(60)
    again = machine.begin("start", its["id"], key="start", etag=seen)
    assert (again.status_code, again.json()["state"]) == (200, "running")
    assert machine.ledger(its["id"]).count("start") == 1


def test_a_release_is_repeated_with_any_etag(machine: Machine) -> None:
    its = machine.reserved()
    seen = machine.etag(its["id"])
    assert machine.release(its["id"], etag=seen).status_code == 202
    assert machine.release(its["id"], etag=seen).json()["state"] == "releasing"
    machine.pass_seconds(10)
    again = machine.release(its["id"], etag=seen)
    assert (again.status_code, again.json()["state"]) == (200, "released")
    assert machine.ledger(its["id"]).count("release") == 1


def test_one_operation_at_a_time_but_stop_and_release_end_another(machine: Machine) -> None:
    its = machine.reserved()
    machine.begin("storage", its["id"], size_gib=1)
    assert code(machine.begin("start", its["id"])) == (409, "busy")
    machine.pass_seconds(10)
    machine.begin("start", its["id"])
    assert machine.begin("stop", its["id"]).status_code == 202
    assert machine.release(its["id"]).status_code == 202
    machine.pass_seconds(100)
    assert machine.get(its["id"])["state"] == "released"
    assert "start ended" not in machine.ledger(its["id"])


def test_what_the_state_does_not_allow(machine: Machine) -> None:
    its = machine.reserved()
    assert code(machine.begin("verify", its["id"])) == (409, "wrong_state")
    assert code(machine.begin("stop", its["id"])) == (409, "wrong_state")
    machine.begin("storage", its["id"], size_gib=1)
    machine.pass_seconds(10)
    assert code(machine.begin("storage", its["id"], size_gib=2)) == (409, "wrong_state")
    assert code(machine.begin("start", str(uuid.uuid4()), etag='"1"')) == (404, "not_found")


def test_lists(machine: Machine) -> None:
    first, second = machine.reserved(), machine.reserved()
    machine.release(first["id"])
    machine.pass_seconds(10)
    listed = machine.api.get("/v1/reservations").json()["items"]
    assert [its["id"] for its in listed] == [second["id"]]
    of_instance = machine.api.get("/v1/reservations", params={"instance": first["instance"]}).json()["items"]
    assert [its["state"] for its in of_instance] == ["released"]


def test_what_was_released_long_ago_is_forgotten(machine: Machine) -> None:
    its = machine.reserved(key="old")
    machine.release(its["id"])
    machine.pass_seconds(10)
    machine.get(its["id"])
    machine.pass_seconds(7 * 86_400 + 1)
    machine.reserved(key="new")
    assert machine.api.get(f"/v1/reservations/{its['id']}").status_code == 404
    assert machine.ledger(its["id"]) == []


def test_capacity_adds_up(machine: Machine) -> None:
    its = machine.reserved("L40S", 3)
    machine.put_fault(kind="gpu_error", gpu=machine.node(its["node"])["gpus"][3]["uuid"])
    found = {each["gpu_type"]: each for each in machine.api.get("/v1/capacity").json()["items"]}
    assert found["L40S"] == {
        "gpu_type": "L40S",
        "total": 4,
        "free": 0,
        "reserved": 3,
        "unavailable": 1,
        "largest": 0,
    }
    assert found["H100"]["largest"] == 8
