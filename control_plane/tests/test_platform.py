"""What operators see, from whom it is kept, and what of it tenants are told."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import psycopg
import pytest

from gpuaas.api.platform import reader
from gpuaas.reporting.documents import DEAD_LETTERS, FLEET, JOURNAL, WORKER, Disagreement
from support import reports
from support.issuer import Issuer
from support.processes import Server
from support.reports import Say
from test_api_timeline import bearer, create

LATE = "Things take longer than usual at the moment. What you ask for is kept, and is done later."


@pytest.fixture(autouse=True)
def looks_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "REMEMBERED_SECONDS", 0.0)


@pytest.fixture
def say(postgres: Server, database: psycopg.Connection) -> Say:
    return reports.sayer(postgres, database)


def platform(api: httpx.Client, issuer: Issuer) -> dict[str, Any]:
    answer = api.get("/v1/platform", headers=bearer(issuer, roles=["platform"], groups=[]))
    assert answer.status_code == 200
    return dict(answer.json())


def notices(api: httpx.Client, issuer: Issuer, **claims: Any) -> list[dict[str, Any]]:
    answer = api.get("/v1/notices", headers=bearer(issuer, **claims))
    assert answer.status_code == 200
    return list(answer.json()["items"])


@pytest.mark.parametrize("roles", [[], ["viewer"], ["operator"], ["viewer", "operator"]])
def test_tenants_are_refused(api: httpx.Client, issuer: Issuer, roles: list[str]) -> None:
    refused = api.get("/v1/platform", headers=bearer(issuer, roles=roles))
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert refused.headers["Content-Type"] == "application/problem+json"


def test_strangers_are_refused(api: httpx.Client, issuer: Issuer) -> None:
    assert api.get("/v1/platform").status_code == 401
    assert api.get("/v1/notices").status_code == 401
    assert api.get("/v1/notices", headers=bearer(issuer, roles=["platform"])).status_code == 403
    assert api.get("/v1/notices", params={"project": "beta"}, headers=bearer(issuer)).status_code == 403


def test_a_lane_without_workers_has_none(api: httpx.Client, issuer: Issuer, database: psycopg.Connection) -> None:
    create(api, issuer)
    database.execute("UPDATE outbox SET created_at = now() - interval '1 day'")
    seen = platform(api, issuer)
    assert seen["workers"] == []
    assert [seen[part] for part in ("streams", "dead_letters", "fleet", "journal")] == [None] * 4
    assert (seen["outbox"]["waiting"], seen["outbox"]["late"], seen["outbox"]["published_last_minute"]) == (1, True, 0)
    assert [(its["state"], its["count"], its["gpus"]) for its in seen["instances"]] == [("requested", 1, 4)]
    assert notices(api, issuer) == []


def test_what_workers_report_is_shown(
    api: httpx.Client, issuer: Issuer, say: Say, database: psycopg.Connection
) -> None:
    reports.everybody(say)
    one = create(api, issuer)
    database.execute("UPDATE outbox SET published_at = now()")
    say("gpuaas_relay", DEAD_LETTERS, reports.letters("nonsense", one))
    say(
        "gpuaas_provisioning",
        FLEET,
        reports.fleet(disagreements=(Disagreement(instance_id=one, reason="", detail="x"),)),
    )
    seen = platform(api, issuer)
    assert [(its["report"]["name"], its["state"]) for its in seen["workers"]] == [
        ("journal", "working"),
        ("notification", "working"),
        ("outbox-relay", "working"),
        ("provisioning", "working"),
    ]
    [_journal, notification, *_others] = seen["workers"]
    assert notification["report"]["lag"] == {"waiting": 3, "held": 1}
    assert notification["report"]["done"][0]["count"] == 1204
    assert (notification["stale"], notification["age_seconds"] < reader.STALE_SECONDS) == (False, True)
    assert (seen["outbox"]["waiting"], seen["outbox"]["published_last_minute"]) == (0, 1)
    assert seen["streams"]["report"]["items"][0]["messages"] == 7
    assert [its["instance"] for its in seen["dead_letters"]["report"]["items"]] == ["nonsense", one]
    assert seen["fleet"]["report"]["capacity"][0]["free"] == 5
    assert seen["fleet"]["report"]["disagreements"][0]["instance_id"] == one
    chains = seen["journal"]["report"]["chains"]
    assert [(its["project"], its["number"], its["verified"]) for its in chains] == [
        ("borealis", 9, 9),
        ("atlas", 41, 41),
    ]


def test_a_worker_appears_by_reporting(api: httpx.Client, issuer: Issuer, say: Say) -> None:
    say("gpuaas_relay", WORKER, reports.worker("of-tomorrow"))
    assert [its["report"]["name"] for its in platform(api, issuer)["workers"]] == ["of-tomorrow"]


def test_what_a_worker_waits_for_is_named(api: httpx.Client, issuer: Issuer, say: Say) -> None:
    reports.everybody(say)
    say("gpuaas_provisioning", WORKER, reports.worker("provisioning", missing={"temporal": "not reachable"}))
    [*_others, provisioning] = platform(api, issuer)["workers"]
    assert (provisioning["state"], provisioning["report"]["missing"]) == ("waiting", {"temporal": "not reachable"})
    assert notices(api, issuer) == [{"instance_id": None, "sentence": LATE}]


def test_what_is_old_is_stale(api: httpx.Client, issuer: Issuer, say: Say) -> None:
    reports.everybody(say, seconds=600)
    say("gpuaas_relay", WORKER, reports.worker("outbox-relay"), int(reader.STALE_SECONDS) - 5)
    say("gpuaas_notification", WORKER, reports.worker("notification"), int(reader.STALE_SECONDS) + 1)
    say("gpuaas_provisioning", FLEET, reports.fleet(free=0), 600)
    seen = platform(api, issuer)
    assert [its["state"] for its in seen["workers"]] == ["silent", "silent", "working", "silent"]
    assert seen["workers"][-1]["age_seconds"] >= 600
    assert (seen["fleet"]["stale"], seen["dead_letters"]["stale"], seen["streams"]["stale"]) == (True, True, False)
    # Of a fleet that nobody has looked at for a while nothing is said to tenants.
    assert notices(api, issuer) == [{"instance_id": None, "sentence": LATE}]


def test_nobody_waits_for_the_journal(api: httpx.Client, issuer: Issuer, say: Say) -> None:
    reports.everybody(say)
    say("gpuaas_journal", WORKER, reports.worker("journal", missing={"journal": "journal_unreachable: put_item"}))
    say("gpuaas_journal", JOURNAL, reports.journal(reports.NOW))
    seen = platform(api, issuer)
    assert (seen["workers"][0]["state"], seen["journal"]["report"]["waiting"]) == ("waiting", 12)
    assert notices(api, issuer) == []
    # What was not journalled is not lost either: see test_expiry.
    say("gpuaas_journal", WORKER, reports.worker("journal"), 600)
    assert notices(api, issuer) == []


def test_tenants_are_told_of_their_instances_alone(
    api: httpx.Client, issuer: Issuer, say: Say, database: psycopg.Connection
) -> None:
    reports.everybody(say)
    one, deleted, others = create(api, issuer), create(api, issuer), create(api, issuer)
    assert api.delete(f"/v1/instances/{deleted}", headers=bearer(issuer)).status_code == 204
    database.execute("UPDATE instances SET project = 'beta' WHERE id = %s", [others])
    say("gpuaas_relay", DEAD_LETTERS, reports.letters("nonsense", uuid.uuid4(), one, one, deleted, others))
    say("gpuaas_provisioning", FLEET, reports.fleet(free=0))
    free, given_up = notices(api, issuer, roles=["viewer"])
    assert free == {"instance_id": None, "sentence": "No H100 is free at the moment."}
    assert given_up["instance_id"] == one
    assert "could not be done" in given_up["sentence"]


def test_tenants_are_told_when_events_wait(
    api: httpx.Client, issuer: Issuer, say: Say, database: psycopg.Connection
) -> None:
    reports.everybody(say)
    create(api, issuer)
    assert notices(api, issuer) == []
    database.execute("UPDATE outbox SET created_at = now() - interval '31 seconds'")
    assert platform(api, issuer)["outbox"]["late"] is True
    assert notices(api, issuer) == [{"instance_id": None, "sentence": LATE}]


def test_the_database_is_asked_once_a_moment(
    api: httpx.Client, issuer: Issuer, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "REMEMBERED_SECONDS", 60.0)
    assert platform(api, issuer)["workers"] == []
    reports.everybody(say)
    assert platform(api, issuer)["workers"] == []


def test_the_document_describes_it(api: httpx.Client) -> None:
    document = api.get("/openapi.json").json()
    assert {"/v1/platform", "/v1/notices"} <= set(document["paths"])
    answer = document["paths"]["/v1/platform"]["get"]["responses"]["200"]["content"]["application/json"]
    assert answer["schema"]["$ref"].endswith("/PlatformStatus")
    assert "/v1/platform" in api.get("/docs").text
