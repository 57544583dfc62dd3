# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is lost, twice, stuck, held for nobody or more than is allowed is a violation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.tests.flow.clients import Asked
from ansible_collections.gpuaas.parity.tests.flow.life import lived
from ansible_collections.gpuaas.parity.tests.flow.seen import Effect, Instance, Seen
from ansible_collections.gpuaas.parity.tests.flow.verdict import violations

CAME_UP = ["requested", "provisioning", "running"]
RUNS = [*CAME_UP, "workload.deployed", "workload.healthy"]
WENT = [*RUNS, "deleted", "released", "workload.removed"]
RESTED = [*CAME_UP, "stopping", "stopped", "starting", "running", "resizing", "resized", "stopping", "stopped"]


def asked(what: str, instance: str, answer: str = "202", **more: Any) -> Asked:
    """A call that was acknowledged, unless it is said otherwise; each is an intent of its own."""
    intent = more.pop("intent", f"{what}-{instance}-{answer}-{more}")
    return Asked(1.0, what, instance, answer, **{"acknowledged": True, "intent": intent, **more})


HISTORY = [
    asked("create", "one", "201", size=1, state="requested"),
    asked("create", "two", "201", size=1, state="requested"),
    asked("delete", "two", "204"),
    asked("create", "three", "201", size=1, state="requested"),
    asked("stop", "three", state="stopping", intent="a"),
    asked("start", "three", state="starting"),
    asked("resize", "three", state="resizing", size=2),
    asked("stop", "three", state="stopping", intent="b"),
    asked("stop", "three", "409 wrong_state", acknowledged=False, intent="c"),
]
RESERVED = ["reserve", "storage", "storage ended", "start", "start ended", "verify", "verify ended"]
DEPLOYED = ["deploy", "deploy ended"]
RELEASED = ["stop", "stop ended", "release", "release ended"]
GOOD = Seen(
    {
        "one": Instance("running", 1, RUNS, 0, RUNS, "notebook", "healthy"),
        "two": Instance("deleted", 1, WENT, 0, WENT, "notebook", "removed"),
        "three": Instance("stopped", 2, RESTED, 0, RESTED),
    },
    [
        *(Effect("r1", "one", effect) for effect in [*RESERVED, *DEPLOYED]),
        *(Effect("r2", "two", effect) for effect in [*RESERVED, *DEPLOYED, *RELEASED]),
        *(Effect(each, "three", effect) for each in ("r3", "r4", "r5") for effect in [*RESERVED, *RELEASED]),
    ],
    0,
    {f"instances.{instance}.{what}" for instance, events in (("one", RUNS), ("two", WENT), ("three", RESTED)) for what in events},
    (),
    {"one": [1]},
    {"atlas": 1},
    32,
)
TOLD = {"one": "running", "two": "deleted", "three": "stopped"}


def changed(instance: str = "one", **changes: object) -> Seen:
    return replace(GOOD, instances={**GOOD.instances, instance: replace(GOOD.instances[instance], **changes)})


def lives(instance: str, *events: str) -> Seen:
    return changed(instance, events=list(events), told=list(events))


def more(*effects: Effect) -> Seen:
    return replace(GOOD, ledger=[*GOOD.ledger, *effects])


def test_all_is_as_it_must_be() -> None:
    assert violations(HISTORY, GOOD, TOLD) == []
    assert GOOD.at_rest


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (replace(GOOD, instances={"two": GOOD.instances["two"]}), "one was acknowledged and is not there"),
        (changed(state="provisioning"), "one is stuck in provisioning"),
        (changed("three", state="stopping"), "three is stuck in stopping"),
        (changed("three", state="resizing"), "three is stuck in resizing"),
        (changed(state="failed"), "one is failed and holds 1 reservations"),
        (changed(state="stopped"), "one is stopped, and running by its events"),
        (changed(waiting=1), "one has 1 events that were not published"),
        (changed(told=["requested", "running", "provisioning"]), "one has a timeline of requested, running, provisioning"),
        (replace(changed(ids=["a", "b"]), journal=["a", "x"]), "one has 2 events, and 1 entries of the journal or in another order"),
        (replace(changed(ids=["a", "b"]), journal=["b", "a"]), "one has 2 events, and 2 entries of the journal or in another order"),
        (replace(changed(ids=["a"]), journal=["a", "a"]), "one has 1 events, and 2 entries of the journal or in another order"),
        (replace(GOOD, broken=["journal_lost: entry 4"]), "journal_lost: entry 4"),
        (lives("one", *RUNS, "running"), "one has an impossible life"),
        (lives("one", *RUNS, "workload.healthy"), "one has a workload with an impossible life: deployed healthy healthy"),
        (lives("one", *CAME_UP, "workload.healthy"), "one has a workload with an impossible life: healthy"),
        (lives("one", *CAME_UP), "one has 1 deployments, and 0 events of them"),
        (changed(does="deployed"), "one is running, asked for notebook, and its workload is deployed"),
        (changed(workload=None, does=None), "one is running, asked for None, and its workload is None"),
        (more(Effect("r1", "one", "deploy")), "one has 2 deployments, and 1 events of them"),
        (more(Effect("r1", "one", "failed")), "one is running, asked for notebook"),
        (more(Effect("r6", "one", "deploy")), "one is running, asked for notebook"),
        (more(Effect("r2", "two", "deploy")), "two is deleted, asked for notebook"),
        (lives("three", *RESTED, "stopped"), "three has an impossible life"),
        (lives("three", *RESTED[:-2]), "three: 2 times stop was acknowledged, and 1 times begun"),
        (lives("three", *RESTED, "starting", "not_started"), "three: 1 times start was acknowledged, and 2 times begun"),
        (more(Effect("r1", "one", "start")), "reservation r1: start took effect 2 times"),
        (more(Effect("r3", "three", "stop")), "reservation r3: stop took effect 2 times"),
        (replace(GOOD, ledger=GOOD.ledger[:-1]), "three is stopped and holds 1 reservations"),
        (more(Effect("r6", "one", "reserve")), "one is running and holds 2 reservations"),
        (replace(GOOD, held={"one": [2]}), "one has 1 GPUs and is running, and the fleet gives it [2]"),
        (replace(GOOD, held={"one": [1], "three": [2]}), "three has 2 GPUs and is stopped, and the fleet gives it [2]"),
        (changed("three", size=4), "three has 4 GPUs, which nobody asked for"),
        (replace(GOOD, used={"atlas": 33}), "atlas uses 33 GPUs of 32"),
        (replace(GOOD, letters=1), "1 messages were given up"),
        (
            replace(GOOD, stream={"instances.one.requested"}),
            "one has no provisioning, running, workload.deployed, workload.healthy in the stream",
        ),
        (replace(GOOD, open=["provision-one"]), "workflow provision-one has not ended"),
        (changed(state="failed"), "one is failed, and the API says running"),
        (replace(GOOD, instances={**GOOD.instances, "other": GOOD.instances["two"]}), "other is there and nobody asked for it"),
    ],
)
def test_each_violation_is_named(seen: Seen, said: str) -> None:
    assert any(said in each for each in violations(HISTORY, seen, TOLD)), violations(HISTORY, seen, TOLD)


def test_a_workload_that_waits_to_be_deployed_is_removed_again() -> None:
    assert violations(HISTORY, lives("two", *WENT, "workload.removed"), TOLD) == []


def test_a_deletion_that_was_acknowledged_and_is_not_made() -> None:
    undone = replace(GOOD, instances={**GOOD.instances, "two": Instance("running", 1, RUNS, 0, RUNS, "notebook", "healthy")})
    assert "two was deleted and is not" in violations(HISTORY, undone, TOLD)


def test_an_operation_that_was_refused_and_is_made() -> None:
    refused = [*HISTORY[:-2], asked("stop", "three", "409 wrong_state", acknowledged=False, intent="b")]
    assert "three: 1 times stop was acknowledged, and 2 times begun" in violations(refused, GOOD, TOLD)


def test_what_was_never_tried_proves_nothing() -> None:
    tried = ("was created", "was deleted", "ran", "was deployed", "was stopped", "was started again", "was to be resized")
    assert {f"nothing {what}" for what in tried} == set(violations([], Seen({}, [], 0, (), ()), {}))


def lost(what: str, instance: str, **more: Any) -> Asked:
    return asked(what, instance, "ReadTimeout", acknowledged=False, **more)


def test_a_creation_without_an_answer_may_be_there() -> None:
    there = replace(
        GOOD,
        instances={**GOOD.instances, "other": GOOD.instances["one"]},
        ledger=[*GOOD.ledger, Effect("r9", "other", "reserve"), Effect("r9", "other", "deploy")],
        stream={*GOOD.stream, *(f"instances.other.{what}" for what in RUNS)},
        held={"one": [1], "other": [1]},
    )
    told = {**TOLD, "other": "running"}
    assert violations([*HISTORY, lost("create", "", size=1)], there, told) == []
    answered_later = lost("create", "", size=1, intent=HISTORY[0].intent)
    assert "other is there and nobody asked for it" in violations([answered_later, *HISTORY], there, told)


def test_an_operation_without_an_answer_may_be_made() -> None:
    assert violations([*HISTORY[:-2], lost("stop", "three")], GOOD, TOLD) == []


@pytest.mark.parametrize(
    ("events", "state"),
    [
        (["requested"], "requested"),
        (["requested", "provisioning", "failed"], "failed"),
        ([*CAME_UP, "failed"], "failed"),
        ([*CAME_UP, "resizing", "not_resized", "stopping"], "stopping"),
        ([*CAME_UP, "stopping", "stopped", "resized", "starting", "not_started"], "stopped"),
        ([*CAME_UP, "resizing", "deleted"], "deleted"),
        ([*CAME_UP, "deleted", "released"], "deleted and released"),
        (["deleted"], ""),
        ([*CAME_UP, "deleted", "released", "released"], ""),
        ([*CAME_UP, "deleted", "deleted"], ""),
        ([*CAME_UP, "deleted", "stopped"], ""),
        ([*CAME_UP, "resized"], ""),
        ([*CAME_UP, "starting"], ""),
        ([*CAME_UP, "stopping", "running"], ""),
    ],
)
def test_a_life_leads_to_a_state_or_is_impossible(events: Sequence[str], state: str) -> None:
    assert lived(events) == state


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
    assert Instance(state, 1, [], 0, [], "notebook", does).workload_is_at_rest is rests


def test_one_that_crashes_too_often_is_left_alone() -> None:
    crashes = [Effect("r1", "one", effect) for _each in range(3) for effect in ("workload crashed", "deploy")]
    told = [*RUNS, *["workload.unhealthy", "workload.deployed"] * 3, "workload.unhealthy"]
    ledger = [*GOOD.ledger, *crashes, Effect("r1", "one", "workload crashed")]
    stream = {*GOOD.stream, "instances.one.workload.unhealthy"}
    left = replace(changed(events=told, told=told, does="unhealthy"), ledger=ledger, stream=stream)
    assert violations(HISTORY, left, TOLD) == []
    assert violations(HISTORY, replace(left, ledger=ledger[:-1]), TOLD)
