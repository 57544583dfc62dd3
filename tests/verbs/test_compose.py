"""The verbs of the fast loop on a project that is up; what starts it and ends it is in the scenario."""

from __future__ import annotations

from pathlib import Path

import yaml
from ansible_collections.gpuaas.parity.tests.verbs.recipes import recipe, typed
from ansible_collections.gpuaas.parity.tests.verbs.run import run
from ansible_collections.gpuaas.parity.tests.verbs.stream import ROOT

STATE = ROOT / ".parity" / "compose"
SECRETS = STATE / "secrets" / "secrets.yml"
SECRET = "redis_api_password"


def test_status_shows_every_component_ready() -> None:
    status = run("local-dev-status")
    assert status.ok, status.document
    assert (status.document["ready"], status.document["mode"]) == (True, "compose")
    assert {one["blocker"] for one in status.document["components"]} == {""}


def test_nothing_has_drifted() -> None:
    drift = run("local-dev-drift")
    assert drift.ok, drift.text
    assert drift.document == {"rows": []}


def test_logs_are_those_of_the_component() -> None:
    logs = run("local-dev-logs", COMPONENT="api")
    assert logs.ok, logs.text
    assert {event["component"] for event in logs.events if event["event"] == "log"} == {"api"}


def test_the_recipe_for_psql_reaches_the_database() -> None:
    assert "(1 row)" in typed(recipe("psql").replace("exec postgres", "exec -T postgres"), "SELECT current_user;\n")


def test_the_recipes_for_whoever_looks_into_the_stores() -> None:
    def at(words: str) -> str:
        return recipe(words).replace("compose exec", "compose exec -T")

    assert "postgres" in typed(at("superuser --dbname=gpuaas"), "SELECT current_user;\n")
    assert typed(at("ask admin"), "ACL WHOAMI\n").strip() == "admin"


def test_doctor_counts_as_the_status_does() -> None:
    project = run("local-dev-status").document["project"]
    notes = run("parity-doctor", MODE="compose").document["compose"]["notes"]
    assert f"{project['running']} of {project['containers']} containers of the project {project['name']} run" in notes


def test_doctor_lets_the_project_be() -> None:
    doctor = run("parity-doctor", MODE="compose")
    assert doctor.ok, doctor.document
    assert doctor.document["compose"]["ready"] is True


def test_list_names_the_project() -> None:
    listed = run("kind-parity-list")
    assert listed.ok, listed.text
    (ours,) = [one for one in listed.document if Path(one["state_dir"]) == STATE]
    assert (ours["mode"], ours["instance"]) == ("compose", "")


def test_rotate_replaces_one_secret_and_up_has_nothing_left_to_do() -> None:
    before = yaml.safe_load(SECRETS.read_text(encoding="utf-8"))
    rotated = run("parity-secrets-rotate", NAME=SECRET, MODE="compose")
    assert rotated.ok, rotated.text
    assert rotated.document["ready"] is True
    after = yaml.safe_load(SECRETS.read_text(encoding="utf-8"))
    assert {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} == {SECRET}
    up = run("local-dev-up")
    assert (up.ok, up.verdict["changed"]) == (True, 0), up.text


# What a reset restores is proved in tests/local_dev.
def test_reseed_makes_the_database_again() -> None:
    reseeded = run("local-dev-reseed")
    assert reseeded.ok, reseeded.text
