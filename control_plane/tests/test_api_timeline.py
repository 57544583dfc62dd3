"""The timeline of an instance: who may read it, its pages, what of a deleted one stays."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import psycopg
from psycopg.types.json import Jsonb

from support.issuer import Issuer


def bearer(issuer: Issuer, **claims: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {issuer.token(**claims)}"}


def create(api: httpx.Client, issuer: Issuer) -> str:
    body = {"name": "training-1", "gpu_type": "H100", "gpu_count": 4}
    created = api.post("/v1/instances", json=body, headers={**bearer(issuer), "Idempotency-Key": str(uuid.uuid4())})
    return str(created.json()["id"])


def happens(database: psycopg.Connection, instance: str, count: int = 1, project: str = "alpha") -> list[int]:
    """As the worker writes it."""
    positions = []
    for _n in range(count):
        row = database.execute(
            "WITH taken AS (UPDATE timeline_position SET last = last + 1 RETURNING last)"
            " INSERT INTO timeline SELECT last, gen_random_uuid(), %s, %s, 'instance.started', now(), 'alice', 'It runs.', %s"
            " FROM taken RETURNING position",
            [instance, project, Jsonb({"node": "n1"})],
        ).fetchone()
        assert row is not None
        positions.append(int(row[0]))
    return positions


def test_it_comes_in_pages_oldest_first(api: httpx.Client, issuer: Issuer, database: psycopg.Connection) -> None:
    one, other = create(api, issuer), create(api, issuer)
    url, headers = f"/v1/instances/{one}/timeline", bearer(issuer, roles=["viewer"])
    assert api.get(url, headers=headers).json() == {"items": [], "next": None}
    first = happens(database, one, 2)
    happens(database, other)
    last = happens(database, one)
    page = api.get(url, headers=headers, params={"limit": 2}).json()
    assert ([item["position"] for item in page["items"]], page["next"]) == (first, first[-1])
    assert (
        page["items"][0] | {"instance_id": one, "sentence": "It runs.", "details": {"node": "n1"}} == page["items"][0]
    )
    page = api.get(url, headers=headers, params={"limit": 2, "after": page["next"]}).json()
    assert ([item["position"] for item in page["items"]], page["next"]) == (last, None)


def test_it_stays_when_the_instance_is_deleted(api: httpx.Client, issuer: Issuer, database: psycopg.Connection) -> None:
    one = create(api, issuer)
    happens(database, one)
    assert api.delete(f"/v1/instances/{one}", headers=bearer(issuer)).status_code == 204
    assert len(api.get(f"/v1/instances/{one}/timeline", headers=bearer(issuer)).json()["items"]) == 1


def test_it_is_its_projects_alone(api: httpx.Client, issuer: Issuer, database: psycopg.Connection) -> None:
    one = create(api, issuer)
    happens(database, one)
    stranger = bearer(issuer, groups=["/projects/beta"])
    for identity in (one, str(uuid.uuid4())):
        refused = api.get(f"/v1/instances/{identity}/timeline", headers=stranger)
        assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    assert api.get(f"/v1/instances/{one}/timeline", headers=bearer(issuer, roles=[])).status_code == 403
    assert api.get(f"/v1/instances/{one}/timeline").status_code == 401


def test_a_cursor_that_is_none_is_refused(api: httpx.Client, issuer: Issuer) -> None:
    url = f"/v1/instances/{uuid.uuid4()}/timeline"
    for after in ("-1", "9223372036854775808", "x"):
        assert api.get(url, headers=bearer(issuer), params={"after": after}).status_code == 400
