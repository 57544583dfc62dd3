"""No project ever uses more GPUs than it may, however many ask at once, and who asks for more is told how many there are."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
import pytest

from support.instances import BODY, bearer, create, rows
from support.issuer import Issuer
from support.ports import free_port

ALLOWED = 16


@pytest.fixture
def api(start_api: Callable[..., httpx.Client]) -> httpx.Client:
    return start_api(GPUAAS_PROJECT_GPU_QUOTA=str(ALLOWED))


@pytest.fixture
def headers(issuer: Issuer) -> dict[str, str]:
    return bearer(issuer)


def quota(api: httpx.Client, headers: dict[str, str]) -> dict[str, object]:
    return dict(api.get("/v1/quota", headers=headers).json())


def made(api: httpx.Client, headers: dict[str, str], count: int) -> str:
    """The path of a new instance with so many GPUs."""
    return create(api, headers, BODY | {"gpu_count": count}).headers["Location"]


def become(database: psycopg.Connection, path: str, state: str) -> None:
    """As a workflow leaves it."""
    database.execute("UPDATE instances SET state = %s WHERE id = %s", [state, path.rpartition("/")[2]])


def operate(api: httpx.Client, headers: dict[str, str], path: str, count: int | None = None) -> httpx.Response:
    """Start an instance, or resize it."""
    sent = {**headers, "Idempotency-Key": str(uuid.uuid4())}
    if count is None:
        return api.post(f"{path}/start", headers=sent)
    return api.patch(path, json={"gpu_count": count}, headers=sent)


def test_who_asks_for_more_is_told_what_is_used_and_what_is_allowed(
    api: httpx.Client, headers: dict[str, str], database: psycopg.Connection
) -> None:
    made(api, headers, 8)
    made(api, headers, 7)
    answer = create(api, headers, BODY | {"gpu_count": 2}, key="one")
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["type"], problem["code"]) == ("urn:gpuaas:problem:quota_exceeded", "quota_exceeded")
    assert problem["quota"] == quota(api, headers) == {"project": "alpha", "gpus_used": 15, "gpus_allowed": 16}
    assert problem["detail"] == "Project alpha uses 15 of its 16 GPUs, and would use 17."
    assert rows(database, "SELECT count(*) FROM instances") == [(2,)]
    # The key was not used, and the last one is there to be had.
    assert create(api, headers, BODY | {"gpu_count": 1}, key="one").status_code == 201
    assert quota(api, headers)["gpus_used"] == 16


def test_requests_at_once_cannot_exceed_it(
    api: httpx.Client, headers: dict[str, str], database: psycopg.Connection
) -> None:
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _one: create(api, headers, BODY | {"gpu_count": 3}), range(16)))
    assert sorted(answer.status_code for answer in answers) == [201] * 5 + [403] * 11
    assert rows(database, "SELECT sum(gpu_count) FROM instances") == [(15,)]


def test_requests_of_every_kind_at_once_cannot_exceed_it(
    api: httpx.Client, headers: dict[str, str], database: psycopg.Connection
) -> None:
    """4 run; 4 x 4 more could be started, resized to or created, of which two fit."""
    running, stopped = made(api, headers, 4), [made(api, headers, 4) for _one in range(2)]
    become(database, running, "running")
    for each in stopped:
        become(database, each, "stopped")
    asked = [
        lambda: operate(api, headers, running, 8),
        lambda: operate(api, headers, stopped[0]),
        lambda: operate(api, headers, stopped[1]),
        *[lambda: create(api, headers, BODY | {"gpu_count": 4})] * 6,
    ]
    with ThreadPoolExecutor(len(asked)) as threads:
        answers = list(threads.map(lambda ask: ask(), asked))
    accepted = [answer.status_code for answer in answers if answer.is_success]
    assert len(accepted) == 3
    assert {answer.json()["code"] for answer in answers if not answer.is_success} == {"quota_exceeded"}
    assert quota(api, headers)["gpus_used"] == 16


@pytest.mark.parametrize("state", ["stopped", "failed", "deleted"])
def test_what_has_no_gpus_is_not_counted(
    api: httpx.Client, headers: dict[str, str], database: psycopg.Connection, state: str
) -> None:
    path = made(api, headers, 8)
    made(api, headers, 8)
    if state == "deleted":
        api.delete(path, headers=headers)
    else:
        become(database, path, state)
    assert quota(api, headers)["gpus_used"] == 8
    assert create(api, headers, BODY | {"gpu_count": 8}).status_code == 201


@pytest.mark.parametrize("state", ["requested", "provisioning", "running", "stopping", "starting"])
def test_what_has_or_gets_gpus_is_counted(
    api: httpx.Client, headers: dict[str, str], database: psycopg.Connection, state: str
) -> None:
    become(database, made(api, headers, 8), state)
    assert quota(api, headers)["gpus_used"] == 8


def test_a_stopped_instance_is_not_started_where_others_use_it_up(
    api: httpx.Client, headers: dict[str, str], database: psycopg.Connection
) -> None:
    path = made(api, headers, 8)
    become(database, path, "stopped")
    others = [made(api, headers, 8), made(api, headers, 8)]
    answer = operate(api, headers, path)
    assert (answer.status_code, answer.json()["code"]) == (403, "quota_exceeded")
    assert api.get(path, headers=headers).json()["state"] == "stopped"
    api.delete(others[0], headers=headers)
    assert operate(api, headers, path).status_code == 202
    assert quota(api, headers)["gpus_used"] == 16


def test_an_instance_grows_by_what_is_left(
    api: httpx.Client, headers: dict[str, str], database: psycopg.Connection
) -> None:
    path = made(api, headers, 4)
    become(database, path, "running")
    made(api, headers, 8)
    made(api, headers, 1)
    answer = operate(api, headers, path, 8)
    assert (answer.status_code, answer.json()["code"]) == (403, "quota_exceeded")
    assert answer.json()["detail"] == "Project alpha uses 13 of its 16 GPUs, and would use 17."
    assert api.get(path, headers=headers).json()["state"] == "running"
    assert operate(api, headers, path, 7).status_code == 202
    # It counts with what it gets as long as it moves, and so does one that shrinks with what it has.
    assert quota(api, headers)["gpus_used"] == 16
    database.execute("UPDATE instances SET gpu_count = 7, wanted_gpu_count = 1 WHERE state = 'resizing'")
    assert quota(api, headers)["gpus_used"] == 16


def test_who_has_more_than_is_allowed_may_have_less(
    start_api: Callable[..., httpx.Client], headers: dict[str, str], database: psycopg.Connection
) -> None:
    """The quota was lowered."""
    before = start_api(GPUAAS_PROJECT_GPU_QUOTA="16", GPUAAS_LISTEN_PORT=str(free_port()))
    paths = [made(before, headers, 8), made(before, headers, 8)]
    become(database, paths[0], "running")
    api = start_api(GPUAAS_PROJECT_GPU_QUOTA="8")
    assert operate(api, headers, paths[0], 4).status_code == 202
    assert quota(api, headers) == {"project": "alpha", "gpus_used": 16, "gpus_allowed": 8}


def test_projects_do_not_count_for_each_other(api: httpx.Client, issuer: Issuer, headers: dict[str, str]) -> None:
    made(api, headers, 8)
    made(api, headers, 8)
    other = bearer(issuer, groups=["/projects/beta"])
    assert quota(api, other) == {"project": "beta", "gpus_used": 0, "gpus_allowed": 16}
    assert create(api, other, BODY | {"gpu_count": 8}).status_code == 201
    assert api.get("/v1/quota?project=beta", headers=headers).json()["code"] == "forbidden"
    assert api.get("/v1/quota", headers=bearer(issuer, roles=["other"])).status_code == 403
