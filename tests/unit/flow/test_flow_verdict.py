# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is lost, twice, stuck or held for nobody is a violation."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.gpuaas.parity.tests.flow.clients import Asked
from ansible_collections.gpuaas.parity.tests.flow.seen import Effect, Instance, Seen
from ansible_collections.gpuaas.parity.tests.flow.verdict import violations

CAME_UP = ["requested", "provisioning", "running"]
WENT = [*CAME_UP, "deleted", "released"]
HISTORY = [
    Asked(1.0, "create", "one", "201", acknowledged=True),
    Asked(2.0, "create", "two", "201", acknowledged=True),
    Asked(3.0, "delete", "two", "204", acknowledged=True),
]
RESERVED = ["reserve", "storage", "storage ended", "start", "start ended", "verify", "verify ended"]
GOOD = Seen(
    {"one": Instance("running", CAME_UP, 0, CAME_UP), "two": Instance("deleted", WENT, 0, WENT)},
    [
        *(Effect("r1", "one", effect) for effect in RESERVED),
        *(Effect("r2", "two", effect) for effect in [*RESERVED, "release", "release ended"]),
    ],
    0,
    {*(f"instances.one.{what}" for what in CAME_UP), *(f"instances.two.{what}" for what in WENT)},
    (),
)
TOLD = {"one": "running", "two": "deleted"}


def one(**changes: object) -> Seen:
    return replace(GOOD, instances={**GOOD.instances, "one": replace(GOOD.instances["one"], **changes)})


def test_all_is_as_it_must_be() -> None:
    assert violations(HISTORY, GOOD, TOLD) == []
    assert GOOD.at_rest


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (replace(GOOD, instances={"two": GOOD.instances["two"]}), "one was acknowledged and is not there"),
        (one(state="provisioning"), "one is stuck in provisioning"),
        (one(state="failed"), "one is failed and holds 1 reservations"),
        (one(waiting=1), "one has 1 events that were not published"),
        (one(told=["requested", "running", "provisioning"]), "one has a timeline of requested, running, provisioning"),
        (one(events=[*CAME_UP, "running"], told=[*CAME_UP, "running"]), "one has an impossible life"),
        (replace(GOOD, ledger=[*GOOD.ledger, Effect("r1", "one", "start")]), "reservation r1: start took effect 2 times"),
        (replace(GOOD, ledger=GOOD.ledger[:-1]), "two is deleted and holds 1 reservations"),
        (replace(GOOD, ledger=[*GOOD.ledger, Effect("r3", "one", "reserve")]), "one is running and holds 2 reservations"),
        (replace(GOOD, letters=1), "1 messages were given up"),
        (replace(GOOD, stream={"instances.one.requested"}), "one has no provisioning, running in the stream"),
        (replace(GOOD, open=["provision-one"]), "workflow provision-one has not ended"),
        (one(state="failed"), "one is failed, and the API says running"),
        (replace(GOOD, instances={**GOOD.instances, "other": GOOD.instances["two"]}), "other is there and nobody asked for it"),
    ],
)
def test_each_violation_is_named(seen: Seen, said: str) -> None:
    assert any(said in each for each in violations(HISTORY, seen, TOLD)), violations(HISTORY, seen, TOLD)


def test_a_deletion_that_was_acknowledged_and_is_not_made() -> None:
    undone = replace(GOOD, instances={**GOOD.instances, "two": Instance("running", CAME_UP, 0, CAME_UP)})
    assert "two was deleted and is not" in violations(HISTORY, undone, TOLD)


def test_what_was_never_tried_proves_nothing() -> None:
    assert {"nothing was created", "nothing was deleted", "nothing ran"} == set(violations([], Seen({}, [], 0, (), ()), {}))


def test_a_creation_without_an_answer_may_be_there() -> None:
    unsure = Asked(4.0, "create", "", "ReadTimeout", acknowledged=False)
    there = replace(
        GOOD,
        instances={**GOOD.instances, "other": GOOD.instances["one"]},
        ledger=[*GOOD.ledger, Effect("r3", "other", "reserve")],
        stream={*GOOD.stream, *(f"instances.other.{what}" for what in CAME_UP)},
    )
    assert violations([*HISTORY, unsure], there, {**TOLD, "other": "running"}) == []
