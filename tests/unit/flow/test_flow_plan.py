# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan can be made again, strikes everybody in every way, and is made smaller when it ends badly."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.gpuaas.parity.tests.flow.damage import KINDS
from ansible_collections.gpuaas.parity.tests.flow.plan import LEAST_FOR_OUTAGE, OUTAGE, PACE, Fault, load, plan, save
from ansible_collections.gpuaas.parity.tests.flow.shrink import smaller
from ansible_collections.gpuaas.parity.tests.flow.target import Target

TARGET = Target(["api", "keycloak", "nats", "postgres", "relay", "temporal"], [("api", "postgres"), ("relay", "nats")], ["api", "relay"])


def test_a_plan_follows_from_its_seed() -> None:
    assert plan("a", TARGET, 60.0) == plan("a", TARGET, 60.0) != plan("b", TARGET, 60.0)


def test_a_long_one_has_every_kind_and_strikes_everybody() -> None:
    drawn = plan("a", TARGET, LEAST_FOR_OUTAGE)
    assert {fault.done for fault in drawn} == {*KINDS, "power"}
    assert {fault.to for fault in drawn if fault.done.startswith("kill")} == set(TARGET.components)
    assert drawn[-1] == Fault(LEAST_FOR_OUTAGE - OUTAGE, "away", "nats", OUTAGE)


def test_a_short_one_ends_in_its_time() -> None:
    drawn = plan("a", TARGET, 45.0)
    assert len(drawn) == 9
    assert max(fault.at + fault.seconds for fault in drawn) <= 45.0 + PACE


def test_a_plan_that_was_kept_is_made_again(tmp_path: Path) -> None:
    drawn = plan("a", TARGET, 120.0)
    save(tmp_path / "plan.json", "a", drawn)
    assert load(tmp_path / "plan.json") == ("a", drawn)


def test_what_is_not_needed_is_left_out() -> None:
    faults = [Fault(PACE * number, "kill", component) for number, component in enumerate("abcdefg", start=1)]
    tried: list[list[Fault]] = []

    def ends_badly(half: list[Fault]) -> bool:
        tried.append(half)
        return any(fault.to == "e" for fault in half)

    assert smaller(faults, ends_badly) == [Fault(PACE, "kill", "e")]
    assert all(half[0].at == PACE for half in tried)


def test_what_is_needed_together_stays() -> None:
    faults = [Fault(PACE * number, "kill", component) for number, component in enumerate("abcd", start=1)]
    assert smaller(faults, lambda half: {"b", "c"} <= {fault.to for fault in half}) == faults
