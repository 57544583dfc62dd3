"""The verbs on a cluster that is up; what starts it, repairs it and ends it is in the scenarios."""

from __future__ import annotations

import itertools
import json
import subprocess
from pathlib import Path

import pytest
from ansible_collections.gpuaas.parity.tests.verbs.recipes import recipe, typed
from ansible_collections.gpuaas.parity.tests.verbs.run import environment, run
from ansible_collections.gpuaas.parity.tests.verbs.stream import ROOT

STATE = ROOT / ".parity" / "kind"


def test_status_shows_every_component_ready() -> None:
    status = run("kind-parity-status")
    assert status.ok, status.document
    assert (status.document["ready"], status.document["mode"]) == (True, "kind")
    assert {one["blocker"] for one in status.document["components"]} == {""}


def test_status_of_what_does_not_stand_is_a_failure() -> None:
    status = run("kind-parity-status", INSTANCE="nobody")
    assert not status.ok
    assert status.document["ready"] is False
    assert {"reason", "seen", "do"} <= status.document.keys()


def test_nothing_has_drifted() -> None:
    drift = run("kind-parity-drift")
    assert drift.ok, drift.text
    assert drift.document == {"rows": []}


def test_logs_are_those_of_the_component() -> None:
    logs = run("kind-parity-logs", COMPONENT="api")
    assert logs.ok, logs.text
    assert {event["component"] for event in logs.events if event["event"] == "log"} == {"api"}


def test_logs_of_an_unknown_component_are_a_failure() -> None:
    logs = run("kind-parity-logs", COMPONENT="nobody")
    assert (logs.ok, logs.verdict["reason"]) == (False, "COMPONENT_UNKNOWN")


def test_logs_are_in_the_order_of_time() -> None:
    logs = run("kind-parity-logs")
    assert logs.ok, logs.text
    components = [event["component"] for event in logs.events if event["event"] == "log"]
    changes = sum(one != other for one, other in itertools.pairwise(components))
    assert changes > len(set(components)), "one log after the other"


def test_the_recipe_for_a_token_calls_the_api() -> None:
    assert "items" in json.loads(typed(recipe("user=alice")))


def test_doctor_lets_the_cluster_be() -> None:
    doctor = run("parity-doctor", MODE="kind")
    assert doctor.ok, doctor.document
    assert doctor.document["kind"]["ready"] is True


def test_list_names_the_cluster() -> None:
    listed = run("kind-parity-list")
    assert listed.ok, listed.text
    (ours,) = [one for one in listed.document if Path(one["state_dir"]) == STATE]
    assert (ours["mode"], ours["instance"]) == ("kind", "")


@pytest.mark.parametrize("gate", ["merge", "deploy"])
def test_the_gate_is_green(gate: str) -> None:
    proved = run("parity-gate", GATE=gate)
    assert proved.ok, proved.text
    assert {event["verdict"] for event in proved.events if event["event"] == "check"} == {"ok"}


def test_no_mode_means_anything_else() -> None:
    diff = run("parity-diff", A="compose", B="kind")
    assert diff.ok, diff.document
    assert diff.document["counts"]["meaning"] == 0


def test_every_mode_renders() -> None:
    rendered = run("parity-render")
    assert rendered.ok, rendered.text


def test_a_rendering_in_check_mode_changes_nothing() -> None:
    argv = [".venv/bin/ansible-playbook", "-i", "inventories/kind", "playbooks/render.yml", "--check", "--diff"]
    contract = STATE / "rendered" / "contract.json"
    before = contract.stat()
    subprocess.run(argv, cwd=ROOT, env=environment(), check=True)
    assert contract.stat() == before
