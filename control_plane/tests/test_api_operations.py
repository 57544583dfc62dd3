"""Instances are stopped, started and resized: from which states, by whom, once, with their event or not at all."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import psycopg
import pytest

from support.instances import bearer, broken_outbox, create, rows
from support.issuer import Issuer

type Instance = Callable[..., str]


@pytest.fixture
def instance(api: httpx.Client, issuer: Issuer, database: psycopg.Connection) -> Instance:
    """An instance in a state, as a workflow leaves it; returns its path."""

    def made(state: str = "running", reason: str | None = None) -> str:
        path = create(api, bearer(issuer)).headers["Location"]
        wanted = 8 if state == "resizing" else None
        database.execute(
            "UPDATE instances SET state = %s, reason = %s, wanted_gpu_count = %s WHERE id = %s",
            [state, reason, wanted, path.rpartition("/")[2]],
        )
        return path

    return made


class Asks:
    """A caller of the three operations."""

    def __init__(self, api: httpx.Client, headers: dict[str, str]) -> None:
        self._api = api
        self._headers = headers

    def __call__(self, what: str, path: str, key: str | None = None, count: object = 2) -> httpx.Response:
        headers = {**self._headers, "Idempotency-Key": key or str(uuid.uuid4())}
        if what == "resize":
            return self._api.patch(path, json={"gpu_count": count}, headers=headers)
        return self._api.post(f"{path}/{what}", headers=headers)


@pytest.fixture
def ask(api: httpx.Client, issuer: Issuer) -> Asks:
    return Asks(api, bearer(issuer))


def events(database: psycopg.Connection) -> list[Any]:
    return rows(
        database,
        "SELECT event_type, payload FROM outbox WHERE event_type <> 'instance.requested' ORDER BY id",
    )


@pytest.mark.parametrize(
    ("what", "before", "after", "wanted"),
    [
        ("stop", "running", "stopping", None),
        ("start", "stopped", "starting", None),
        ("resize", "running", "resizing", 2),
    ],
)
def test_the_change_its_event_and_its_key_are_one(
    ask: Asks, instance: Instance, database: psycopg.Connection, what: str, before: str, after: str, wanted: int | None
) -> None:
    path = instance(before, reason="no_capacity")
    answer = ask(what, path)
    its = answer.json()
    assert (answer.status_code, answer.headers["Location"]) == (202, path)
    assert (its["state"], its["gpu_count"], its["wanted_gpu_count"], its["reason"]) == (after, 4, wanted, None)
    told = {"instance": its, "actor": "user-alice", "operation": 1}
    assert events(database) == [(f"instance.{after}", told)]
    assert rows(database, "SELECT count(DISTINCT xmin::text) FROM instances") == [(1,)]
    (transaction,) = rows(database, "SELECT xmin::text FROM instances")
    assert rows(database, "SELECT xmin::text FROM outbox WHERE event_type <> 'instance.requested'") == [transaction]
    assert transaction in rows(database, "SELECT xmin::text FROM idempotency_keys")


@pytest.mark.parametrize("what", ["stop", "start", "resize"])
def test_a_repetition_has_the_first_answer_and_no_effect(
    api: httpx.Client, ask: Asks, instance: Instance, database: psycopg.Connection, what: str
) -> None:
    path = instance("stopped" if what == "start" else "running")
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _one: ask(what, path, key="one"), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [202]
    assert len({answer.content for answer in answers}) == 1
    replayed = [answer.headers.get("Idempotency-Replayed") for answer in answers if answer.status_code == 200]
    assert replayed == ["true"] * 7
    assert len(events(database)) == 1
    # Also when it has gone on meanwhile.
    database.execute("UPDATE instances SET state = 'failed', wanted_gpu_count = NULL")
    assert ask(what, path, key="one").content == answers[0].content


def test_a_key_is_for_one_operation(ask: Asks, instance: Instance, database: psycopg.Connection) -> None:
    path = instance()
    assert ask("resize", path, key="one", count=2).status_code == 202
    for what, count in (("stop", 0), ("start", 0), ("resize", 3)):
        answer = ask(what, path, key="one", count=count)
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_conflict")
    assert len(events(database)) == 1


@pytest.mark.parametrize(
    ("what", "states"),
    [
        ("stop", ["running"]),
        ("start", ["stopped"]),
        ("resize", ["running", "stopped"]),
    ],
)
def test_each_is_possible_in_its_states_alone(
    ask: Asks, instance: Instance, database: psycopg.Connection, what: str, states: list[str]
) -> None:
    every = ("requested", "provisioning", "running", "stopping", "stopped", "starting", "resizing", "failed")
    answers = {state: ask(what, instance(state)) for state in every}
    assert [state for state, answer in answers.items() if answer.status_code == 202] == states
    refused = {answer.json()["code"] for answer in answers.values() if answer.status_code != 202}
    assert refused == {"wrong_state"}
    assert answers["failed"].status_code == 409
    assert len(events(database)) == len(states)


def test_concurrent_operations_are_one(ask: Asks, instance: Instance, database: psycopg.Connection) -> None:
    path = instance()
    with ThreadPoolExecutor(9) as threads:
        answers = list(threads.map(lambda n: ask(("stop", "resize", "start")[n % 3], path), range(9)))
    assert sorted(answer.status_code for answer in answers) == [202] + [409] * 8
    assert len(events(database)) == 1
    assert rows(database, "SELECT operation FROM instances") == [(1,)]


def test_a_stopped_instance_is_resized_at_once(ask: Asks, instance: Instance, database: psycopg.Connection) -> None:
    answer = ask("resize", instance("stopped", reason="no_capacity"), count=8)
    its = answer.json()
    assert (answer.status_code, its["state"], its["gpu_count"], its["wanted_gpu_count"]) == (202, "stopped", 8, None)
    assert its["reason"] is None
    assert [event for event, _told in events(database)] == ["instance.resized"]


@pytest.mark.parametrize("state", ["running", "stopped"])
def test_the_same_number_changes_nothing(
    ask: Asks, instance: Instance, database: psycopg.Connection, state: str
) -> None:
    answer = ask("resize", instance(state), count=4)
    assert (answer.status_code, answer.json()["state"]) == (202, state)
    assert events(database) == []


@pytest.mark.parametrize("what", ["stop", "start", "resize"])
def test_only_operators_of_the_project_may(
    api: httpx.Client, issuer: Issuer, instance: Instance, database: psycopg.Connection, what: str
) -> None:
    path = instance("stopped" if what == "start" else "running")
    viewer = Asks(api, bearer(issuer, roles=["viewer"]))(what, path)
    assert (viewer.status_code, viewer.json()["code"]) == (403, "forbidden")
    stranger = Asks(api, bearer(issuer, groups=["/projects/beta"], sub="mallory"))(what, path)
    assert (stranger.status_code, stranger.json()["code"]) == (404, "not_found")
    assert Asks(api, {})(what, path).status_code == 401
    assert events(database) == []


@pytest.mark.parametrize("what", ["stop", "start", "resize"])
def test_who_left_a_project_is_not_answered_again(
    api: httpx.Client, issuer: Issuer, ask: Asks, instance: Instance, what: str
) -> None:
    path = instance("stopped" if what == "start" else "running")
    assert ask(what, path, key="one").status_code == 202
    moved = Asks(api, bearer(issuer, groups=["/projects/beta"]))
    assert moved(what, path, key="one").status_code == 404


@pytest.mark.parametrize("what", ["stop", "start", "resize"])
def test_what_is_not_there_or_deleted_is_not_found(
    api: httpx.Client, issuer: Issuer, ask: Asks, instance: Instance, what: str
) -> None:
    assert ask(what, f"/v1/instances/{uuid.uuid4()}").status_code == 404
    path = instance("stopped" if what == "start" else "running")
    api.delete(path, headers=bearer(issuer))
    assert ask(what, path).status_code == 404


@pytest.mark.parametrize("count", [0, 9, "4", True, None])
def test_no_other_numbers(ask: Asks, instance: Instance, count: object) -> None:
    answer = ask("resize", instance(), count=count)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert [error["field"] for error in answer.json()["errors"]] == ["gpu_count"]


def test_a_key_is_required(api: httpx.Client, issuer: Issuer, instance: Instance) -> None:
    path, headers = instance(), bearer(issuer)
    answers = [
        api.post(f"{path}/stop", headers=headers),
        api.post(f"{path}/start", headers=headers),
        api.patch(path, json={"gpu_count": 1}, headers=headers),
    ]
    assert [answer.json()["code"] for answer in answers] == ["idempotency_key_missing"] * 3


@pytest.mark.parametrize("what", ["stop", "start", "resize"])
def test_no_event_no_change(ask: Asks, instance: Instance, database: psycopg.Connection, what: str) -> None:
    path = instance("stopped" if what == "start" else "running")
    with broken_outbox(database):
        assert ask(what, path, key="one").status_code == 500
    assert rows(database, "SELECT operation, state LIKE '%ing' AND state <> 'running' FROM instances") == [(0, False)]
    assert ask(what, path, key="one").status_code == 202


def test_a_list_is_not_stale_after_an_operation(
    api: httpx.Client, issuer: Issuer, ask: Asks, instance: Instance
) -> None:
    path, headers = instance(), bearer(issuer)
    api.get("/v1/instances", headers=headers)
    ask("stop", path)
    assert [item["state"] for item in api.get("/v1/instances", headers=headers).json()["items"]] == ["stopping"]


def test_a_deletion_is_possible_in_every_state(
    api: httpx.Client, issuer: Issuer, instance: Instance, database: psycopg.Connection
) -> None:
    for state in ("stopping", "stopped", "starting", "resizing"):
        assert api.delete(instance(state), headers=bearer(issuer)).status_code == 204
    assert rows(database, "SELECT DISTINCT state, wanted_gpu_count FROM instances") == [("deleted", None)]
