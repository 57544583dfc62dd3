# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is lost, twice, stuck or held for nobody is a violation."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.gpuaas.parity.tests.flow.clients import Asked
from ansible_collections.gpuaas.parity.tests.flow.plan import plan
from ansible_collections.gpuaas.parity.tests.flow.seen import Effect, Instance, Seen
from ansible_collections.gpuaas.parity.tests.flow.verdict import violations

CAME_UP = ["requested", "provisioning", "running"]
RUNS = [*CAME_UP, "workload.deployed", "workload.healthy"]
WENT = [*RUNS, "deleted", "released", "workload.removed"]
HISTORY = [
    Asked(1.0, "create", "one", "201", acknowledged=True),
    Asked(2.0, "create", "two", "201", acknowledged=True),
    Asked(3.0, "delete", "two", "204", acknowledged=True),
]
RESERVED = ["reserve", "storage", "storage ended", "start", "start ended", "verify", "verify ended", "deploy", "deploy ended"]
GOOD = Seen(
    {
        "one": Instance("running", RUNS, 0, RUNS, "notebook", "healthy"),
        "two": Instance("deleted", WENT, 0, WENT, "notebook", "removed"),
    },
    [
        *(Effect("r1", "one", effect) for effect in RESERVED),
        *(Effect("r2", "two", effect) for effect in [*RESERVED, "release", "release ended"]),
    ],
    0,
)


def one(**changes: object) -> Seen:
    return replace(GOOD, instances={**GOOD.instances, "one": replace(GOOD.instances["one"], **changes)})


def test_all_is_as_it_must_be() -> None:
    assert violations(HISTORY, GOOD) == []
    assert GOOD.at_rest


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (replace(GOOD, instances={"two": GOOD.instances["two"]}), "one was acknowledged and is not there"),
        (one(state="provisioning"), "one is stuck in provisioning"),
        (one(state="failed"), "one is failed and holds 1 reservations"),
        (one(waiting=1), "one has 1 events that were not published"),
        (one(told=["requested", "running", "provisioning"]), "one has a timeline of requested, running, provisioning"),
        (one(events=[*RUNS, "running"], told=[*RUNS, "running"]), "one has an impossible life"),
        (one(events=[*RUNS, "workload.healthy"]), "one has a workload with an impossible life: deployed healthy healthy"),
        (one(events=[*CAME_UP, "workload.healthy"]), "one has a workload with an impossible life: healthy"),
        (one(events=CAME_UP), "one has 1 deployments, and 0 events of them"),
        (one(does="deployed"), "one is running, asked for notebook, and its workload is deployed"),
        (one(workload=None, does=None), "one is running, asked for None, and its workload is None"),
        (replace(GOOD, ledger=[*GOOD.ledger, Effect("r1", "one", "deploy")]), "one has 2 deployments, and 1 events of them"),
        (replace(GOOD, ledger=[*GOOD.ledger, Effect("r1", "one", "failed")]), "one is running, asked for notebook"),
        (replace(GOOD, ledger=[*GOOD.ledger, Effect("r3", "one", "deploy")]), "one is running, asked for notebook"),
        (replace(GOOD, ledger=[*GOOD.ledger, Effect("r2", "two", "deploy")]), "two is deleted, asked for notebook"),
        (replace(GOOD, ledger=[*GOOD.ledger, Effect("r1", "one", "start")]), "reservation r1: start took effect 2 times"),
        (replace(GOOD, ledger=GOOD.ledger[:-1]), "two is deleted and holds 1 reservations"),
        (replace(GOOD, ledger=[*GOOD.ledger, Effect("r3", "one", "reserve")]), "one is running and holds 2 reservations"),
        (replace(GOOD, letters=1), "1 messages were given up"),
        (replace(GOOD, instances={**GOOD.instances, "other": GOOD.instances["two"]}), "other is there and nobody asked for it"),
    ],
)
def test_each_violation_is_named(seen: Seen, said: str) -> None:
    assert any(said in each for each in violations(HISTORY, seen)), violations(HISTORY, seen)


def test_a_deletion_that_was_acknowledged_and_is_not_made() -> None:
    undone = replace(GOOD, instances={**GOOD.instances, "two": Instance("running", RUNS, 0, RUNS)})
    assert "two was deleted and is not" in violations(HISTORY, undone)


def test_what_was_never_tried_proves_nothing() -> None:
    assert {"nothing was created", "nothing was deleted", "nothing ran", "nothing was deployed"} == set(violations([], Seen({}, [], 0)))


def test_a_creation_without_an_answer_may_be_there() -> None:
    unsure = Asked(4.0, "create", "", "ReadTimeout", acknowledged=False)
    ledger = [*GOOD.ledger, Effect("r3", "other", "reserve"), Effect("r3", "other", "deploy")]
    there = replace(GOOD, instances={**GOOD.instances, "other": GOOD.instances["one"]}, ledger=ledger)
    assert violations([*HISTORY, unsure], there) == []


@pytest.mark.parametrize(
    ("state", "does", "rests"),
    [
        ("running", "healthy", True),
        ("running", "unhealthy", True),
        ("running", "deployed", False),
        ("running", None, False),
        ("deleted", "removing", False),
        ("deleted", "removed", True),
        ("failed", None, True),
    ],
)
def test_a_workload_has_come_to_its_end_or_not(state: str, does: str | None, rests: bool) -> None:
    assert Instance(state, [], 0, [], "notebook", does).workload_is_at_rest is rests


def test_one_that_crashes_too_often_is_left_alone() -> None:
    crashes = [Effect("r1", "one", effect) for _each in range(3) for effect in ("workload crashed", "deploy")]
    told = [*RUNS, *["workload.unhealthy", "workload.deployed"] * 3, "workload.unhealthy"]
    ledger = [*GOOD.ledger, *crashes, Effect("r1", "one", "workload crashed")]
    left = replace(one(events=told, told=told, does="unhealthy"), ledger=ledger)
    assert violations(HISTORY, left) == []
    assert violations(HISTORY, replace(left, ledger=ledger[:-1]))


def test_a_plan_follows_from_its_seed_and_strikes_everybody() -> None:
    components = ("api", "nats", "postgres")
    drawn = plan("a", components, 60.0)
    assert drawn == plan("a", components, 60.0) != plan("b", components, 60.0)
    assert {fault.to for fault in drawn if fault.done == "kill"} == set(components)
