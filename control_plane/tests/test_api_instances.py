"""Instances: roles, projects, idempotency, outbox, cache."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
import pytest
import redis

from support.instances import BODY, bearer, broken_outbox, create, rows
from support.issuer import Issuer


def test_create_read_delete(api: httpx.Client, issuer: Issuer) -> None:
    headers = bearer(issuer)
    created = create(api, headers)
    assert created.status_code == 201
    instance = created.json()
    assert instance | BODY == instance
    assert (instance["project"], instance["state"], instance["created_by"]) == ("alpha", "requested", "user-alice")
    path = created.headers["Location"]
    assert path == f"/v1/instances/{instance['id']}"
    assert api.get(path, headers=headers).json() == {**instance, "private": None}
    assert api.get("/v1/instances", headers=headers).json() == {"project": "alpha", "items": [instance], "next": None}
    assert api.delete(path, headers=headers).status_code == 204
    assert api.get(path, headers=headers).json()["code"] == "not_found"
    assert api.delete(path, headers=headers).status_code == 404
    assert api.get("/v1/instances", headers=headers).json()["items"] == []


@pytest.mark.parametrize(
    ("roles", "read", "write"),
    [(["viewer"], 200, 403), (["operator"], 200, 201), (["other"], 403, 403), (None, 403, 403)],
)
def test_roles(api: httpx.Client, issuer: Issuer, roles: list[str] | None, read: int, write: int) -> None:
    headers = bearer(issuer, roles=roles)
    assert api.get("/v1/instances", headers=headers).status_code == read
    response = create(api, headers)
    assert response.status_code == write
    if write == 403:
        assert response.json()["code"] == "forbidden"
        assert api.delete(f"/v1/instances/{uuid.uuid4()}", headers=headers).status_code == 403
        assert api.get("/v1/configuration", headers=headers).status_code == 403


def test_project_must_be_the_callers(api: httpx.Client, issuer: Issuer) -> None:
    headers = bearer(issuer)
    assert create(api, headers, BODY | {"project": "beta"}).json()["code"] == "forbidden"
    assert api.get("/v1/instances?project=beta", headers=headers).json()["code"] == "forbidden"
    assert create(api, headers, BODY | {"project": "alpha"}).status_code == 201


@pytest.mark.parametrize(
    "groups",
    [[], None, "/projects/alpha", ["/alpha"], ["/projects/"], ["/projects/alpha/team"], ["projects/alpha"], [7]],
)
def test_no_project(api: httpx.Client, issuer: Issuer, groups: object) -> None:
    response = api.get("/v1/instances", headers=bearer(issuer, groups=groups))
    assert (response.status_code, response.json()["code"]) == (403, "forbidden")


def test_several_projects_need_a_choice(api: httpx.Client, issuer: Issuer) -> None:
    headers = bearer(issuer, groups=["/projects/beta", "/projects/alpha"])
    assert api.get("/v1/me", headers=headers).json()["projects"] == ["alpha", "beta"]
    assert create(api, headers).json()["code"] == "invalid_request"
    assert create(api, headers, BODY | {"project": "beta"}).json()["project"] == "beta"
    assert len(api.get("/v1/instances?project=beta", headers=headers).json()["items"]) == 1
    assert api.get("/v1/instances?project=alpha", headers=headers).json()["items"] == []


def test_other_projects_instances_do_not_exist(api: httpx.Client, issuer: Issuer) -> None:
    path = create(api, bearer(issuer)).headers["Location"]
    stranger = bearer(issuer, groups=["/projects/beta"], sub="mallory")
    assert api.get(path, headers=stranger).status_code == 404
    assert api.delete(path, headers=stranger).status_code == 404
    assert api.get(path, headers=bearer(issuer)).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**BODY, "name": "Not A Label"}, "name"),
        ({**BODY, "name": "-a"}, "name"),
        ({**BODY, "name": "a\n"}, "name"),
        ({**BODY, "name": "a" * 64}, "name"),
        ({**BODY, "gpu_type": "TPU"}, "gpu_type"),
        ({**BODY, "gpu_count": 0}, "gpu_count"),
        ({**BODY, "gpu_count": 9}, "gpu_count"),
        ({**BODY, "workload": "game"}, "workload"),
        ({**BODY, "gpu_count": True}, "gpu_count"),
        ({**BODY, "gpu_count": "4"}, "gpu_count"),
        ({**BODY, "surprise-secret": 1}, "surprise-secret"),
        ({"name": "a"}, "gpu_type"),
        ([], "body"),
    ],
)
def test_invalid_body(api: httpx.Client, issuer: Issuer, body: object, field: str) -> None:
    response = create(api, bearer(issuer), body)
    assert (response.status_code, response.json()["code"]) == (400, "invalid_request")
    assert field in [error["field"] for error in response.json()["errors"]]


def test_malformed_and_oversized_bodies(api: httpx.Client, issuer: Issuer) -> None:
    headers = bearer(issuer) | {"Idempotency-Key": "k", "Content-Type": "application/json"}
    assert api.post("/v1/instances", content=b"{", headers=headers).json()["code"] == "invalid_request"
    response = api.post("/v1/instances", content=b'{"name":"' + b"a" * 70000, headers=headers)
    assert (response.status_code, response.json()["code"]) == (413, "invalid_request")
    chunked = api.post("/v1/instances", content=iter([b"a" * 40000, b"a" * 40000]), headers=headers)
    assert chunked.status_code == 413


@pytest.mark.parametrize("path", ["/v1/instances/not-a-uuid", "/v1/instances?limit=0", "/v1/instances?after=x"])
def test_invalid_parameters(api: httpx.Client, issuer: Issuer, path: str) -> None:
    response = api.get(path, headers=bearer(issuer))
    assert (response.status_code, response.json()["code"]) == (400, "invalid_request")


def test_unknown_routes_are_problems(api: httpx.Client) -> None:
    assert api.get("/nowhere").json()["code"] == "not_found"
    response = api.put("/v1/instances")
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")


@pytest.mark.parametrize(
    ("key", "code"),
    [(None, "idempotency_key_missing"), ("", "idempotency_key_missing"), ("k" * 256, "invalid_request")],
)
def test_key_is_required(api: httpx.Client, issuer: Issuer, key: str | None, code: str) -> None:
    headers = bearer(issuer) | ({} if key is None else {"Idempotency-Key": key})
    response = api.post("/v1/instances", json=BODY, headers=headers)
    assert (response.status_code, response.json()["code"]) == (400, code)


def test_same_key_same_body_is_answered_again(api: httpx.Client, issuer: Issuer, database: psycopg.Connection) -> None:
    headers = bearer(issuer)
    first, again = create(api, headers, key="one"), create(api, headers, key="one")
    assert (first.status_code, again.status_code) == (201, 200)
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.content == first.content
    assert again.headers["Location"] == first.headers["Location"]
    named = create(api, headers, BODY | {"project": "alpha"}, key="one")
    assert named.content == first.content
    assert rows(database, "SELECT count(*) FROM instances") == [(1,)]
    assert rows(database, "SELECT count(*) FROM outbox") == [(1,)]


def test_what_a_key_was_used_for_is_known_to_the_next_version(
    api: httpx.Client, issuer: Issuer, database: psycopg.Connection
) -> None:
    """Its digest lives for days: one that is made otherwise turns every repetition into a conflict."""
    create(api, bearer(issuer), key="one")
    wanted = b'{"gpu_count": 4, "gpu_type": "H100", "name": "training-1", "project": "alpha"}'
    assert rows(database, "SELECT request_sha256 FROM idempotency_keys") == [(hashlib.sha256(wanted).hexdigest(),)]


def test_a_workload_is_part_of_the_request(api: httpx.Client, issuer: Issuer, database: psycopg.Connection) -> None:
    headers = bearer(issuer)
    assert create(api, headers, key="none").json()["workload"] is None
    asked = create(api, headers, BODY | {"workload": "notebook"}, key="one")
    assert (asked.status_code, asked.json()["workload"], asked.json()["workload_state"]) == (201, "notebook", None)
    assert create(api, headers, BODY | {"workload": "notebook"}, key="one").status_code == 200
    assert create(api, headers, BODY | {"workload": "inference"}, key="one").status_code == 409
    database.execute("UPDATE instances SET workload_state = 'healthy' WHERE workload IS NOT NULL")
    seen = api.get(f"/v1/instances/{asked.json()['id']}", headers=headers).json()
    assert (seen["workload"], seen["workload_state"]) == ("notebook", "healthy")


def test_same_key_other_body_is_a_conflict(api: httpx.Client, issuer: Issuer, database: psycopg.Connection) -> None:
    headers = bearer(issuer)
    create(api, headers, key="one")
    response = create(api, headers, BODY | {"gpu_count": 1}, key="one")
    assert (response.status_code, response.json()["code"]) == (409, "idempotency_conflict")
    assert rows(database, "SELECT count(*) FROM instances") == [(1,)]


def test_same_key_other_project_is_a_conflict(api: httpx.Client, issuer: Issuer, database: psycopg.Connection) -> None:
    """Also when the project is not in the body, but the caller's only one."""
    assert create(api, bearer(issuer), key="one").json()["project"] == "alpha"
    moved = create(api, bearer(issuer, groups=["/projects/beta"]), key="one")
    assert (moved.status_code, moved.json()["code"]) == (409, "idempotency_conflict")
    both = bearer(issuer, groups=["/projects/alpha", "/projects/beta"])
    assert create(api, both, BODY | {"project": "beta"}, key="one").status_code == 409
    assert create(api, both, BODY | {"project": "alpha"}, key="one").status_code == 200
    assert rows(database, "SELECT project FROM instances") == [("alpha",)]


def test_keys_belong_to_a_subject(api: httpx.Client, issuer: Issuer) -> None:
    assert create(api, bearer(issuer), key="one").status_code == 201
    assert create(api, bearer(issuer, sub="somebody-else"), key="one").status_code == 201


def test_concurrent_same_key_creates_one(api: httpx.Client, issuer: Issuer, database: psycopg.Connection) -> None:
    headers = bearer(issuer)
    with ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(lambda _: create(api, headers, key="race"), range(12)))
    assert sorted(answer.status_code for answer in answers) == [200] * 11 + [201]
    assert len({answer.content for answer in answers}) == 1
    assert rows(database, "SELECT count(*) FROM instances") == [(1,)]
    assert rows(database, "SELECT count(*) FROM outbox") == [(1,)]


def test_events_are_written_with_their_change(api: httpx.Client, issuer: Issuer, database: psycopg.Connection) -> None:
    headers = bearer(issuer)
    instance = create(api, headers).json()
    api.delete(f"/v1/instances/{instance['id']}", headers=headers)
    events = rows(database, "SELECT event_type, instance_id::text, payload, published_at FROM outbox ORDER BY id")
    assert [event[:2] for event in events] == [
        ("instance.requested", instance["id"]),
        ("instance.deleted", instance["id"]),
    ]
    assert events[0][2] == {"instance": instance, "actor": "user-alice"}
    assert [event[3] for event in events] == [None, None]
    transactions = rows(database, "SELECT xmin::text FROM outbox UNION SELECT xmin::text FROM idempotency_keys")
    assert rows(database, "SELECT xmin::text FROM idempotency_keys") == rows(
        database, "SELECT xmin::text FROM outbox WHERE event_type = 'instance.requested'"
    )
    assert len(transactions) == 2


def test_no_event_no_change(api: httpx.Client, issuer: Issuer, database: psycopg.Connection) -> None:
    headers = bearer(issuer)
    with broken_outbox(database):
        response = create(api, headers, key="one")
    assert (response.status_code, response.json()["code"]) == (500, "internal")
    assert rows(database, "SELECT count(*) FROM instances") == [(0,)]
    assert rows(database, "SELECT count(*) FROM idempotency_keys") == [(0,)]
    created = create(api, headers, key="one")
    assert created.status_code == 201
    with broken_outbox(database):
        assert api.delete(created.headers["Location"], headers=headers).status_code == 500
    assert api.get(created.headers["Location"], headers=headers).status_code == 200


def test_list_is_cached_and_never_stale_after_a_write(api: httpx.Client, issuer: Issuer) -> None:
    headers = bearer(issuer)

    def listing() -> tuple[str, int]:
        response = api.get("/v1/instances", headers=headers)
        return response.headers["X-Cache"], len(response.json()["items"])

    assert [listing(), listing()] == [("miss", 0), ("hit", 0)]
    path = create(api, headers).headers["Location"]
    assert [listing(), listing()] == [("miss", 1), ("hit", 1)]
    api.delete(path, headers=headers)
    assert [listing(), listing()] == [("miss", 0), ("hit", 0)]


def test_cached_pages_end(start_api: Callable[..., httpx.Client], issuer: Issuer, redis_client: redis.Redis) -> None:
    api = start_api(GPUAAS_CACHE_SECONDS="7")
    api.get("/v1/instances", headers=bearer(issuer))
    pages = [key for key in redis_client.scan_iter() if str(key).startswith("list:")]
    assert [redis_client.ttl(page) for page in pages] == [7]


def test_a_slow_reader_cannot_bring_back_the_past(api: httpx.Client, issuer: Issuer, redis_client: redis.Redis) -> None:
    """Its page lies under the generation it began with, which nobody asks for any more."""
    headers = bearer(issuer)
    api.get("/v1/instances", headers=headers)
    (slot,) = [key for key in redis_client.scan_iter() if str(key).startswith("list:")]
    page = redis_client.get(slot)
    create(api, headers)
    redis_client.set(slot, str(page))
    assert len(api.get("/v1/instances", headers=headers).json()["items"]) == 1


def test_pages(api: httpx.Client, issuer: Issuer) -> None:
    headers = bearer(issuer)
    created = [create(api, headers, BODY | {"name": f"i-{number}"}).json()["id"] for number in range(5)]
    seen: list[str] = []
    after = ""
    while after is not None:
        page = api.get(f"/v1/instances?limit=2{f'&after={after}' if after else ''}", headers=headers).json()
        seen += [item["id"] for item in page["items"]]
        after = page["next"]
        if after:
            # Deleted meanwhile: still a place in the order.
            api.delete(f"/v1/instances/{after}", headers=headers)
    assert seen == created[::-1]


def test_rate_limit(start_api: Callable[..., httpx.Client], issuer: Issuer) -> None:
    api = start_api(GPUAAS_RATE_LIMIT_PER_MINUTE="3")
    headers = bearer(issuer)
    answers = [api.get("/v1/me", headers=headers) for _round in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[3].json()["code"] == "rate_limited"
    assert 55 <= int(answers[3].headers["Retry-After"]) <= 65
    assert api.get("/v1/me", headers=bearer(issuer, sub="somebody-else")).status_code == 200


def test_counters_end(api: httpx.Client, issuer: Issuer, redis_client: redis.Redis) -> None:
    api.get("/v1/me", headers=bearer(issuer))
    counters = [key for key in redis_client.scan_iter() if str(key).startswith("rate:")]
    assert counters
    assert all(0 < int(str(redis_client.ttl(counter))) <= 65 for counter in counters)
    assert not any("user-alice" in str(counter) for counter in counters)
