"""What stores and logs have in plain is metadata, and the list of it is closed: something new is to be thought about here."""

from __future__ import annotations

import json
import logging
from typing import Any

import httpx
import psycopg
import pytest
import redis

from support import sealed
from support.browser import Browser
from support.instances import rows
from support.issuer import Issuer

NAME = "a-persons-name"
# Of an instance: docs/architecture.md has the same list.
METADATA = {
    "id",
    "project",
    "name",
    "gpu_type",
    "gpu_count",
    "wanted_gpu_count",
    "state",
    "reason",
    "workload",
    "workload_state",
    "created_by",
    "created_at",
}


@pytest.fixture
def created(browser: Browser, api: httpx.Client, issuer: Issuer) -> Browser:
    """Somebody with a name logged in, made an instance and looked at the list."""
    issuer.user["preferred_username"] = NAME
    browser.submit(browser.get("/auth/login"), "/instances", name="one", gpu_type="H100", gpu_count="2")
    assert NAME in browser.get("/").text
    return browser


def _kept(redis_client: redis.Redis) -> str:
    """All keys and values."""
    values = [str(redis_client.get(key)) for key in redis_client.scan_iter() if redis_client.type(key) == "string"]
    return " ".join([*map(str, redis_client.scan_iter()), *values])


@pytest.mark.usefixtures("created")
def test_an_answer_that_is_kept_for_repetitions_is_metadata(database: psycopg.Connection) -> None:
    answers = [json.loads(answer) for (answer,) in rows(database, "SELECT response FROM idempotency_keys")]
    assert [set(answer) for answer in answers] == [METADATA]
    assert answers[0]["created_by"] == "user-alice"


@pytest.mark.usefixtures("created")
def test_an_event_is_metadata(database: psycopg.Connection) -> None:
    ((payload,),) = rows(database, "SELECT payload FROM outbox")
    assert set(payload) == {"instance", "actor"}
    assert set(payload["instance"]) == METADATA
    assert payload["actor"] == "user-alice"


@pytest.mark.usefixtures("created")
def test_the_cache_has_nobodys_name_and_no_token(redis_client: redis.Redis) -> None:
    (key,) = sealed.sessions_of(redis_client)
    session: dict[str, Any] = sealed.read(redis_client, key)["session"]
    assert session["username"] == NAME
    kept = _kept(redis_client)
    # The list of instances is there, so the same search finds what is in plain.
    assert '"name":"one"' in kept
    secrets = [str(session[name]) for name in ("access_token", "refresh_token", "id_token", "username", "csrf_token")]
    assert not [each for each in secrets if each in kept]


def test_the_log_has_a_subject_and_nobodys_name(created: Browser, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "gpuaas.access")
    for _again in range(2):  # A line is written when its answer is on its way.
        created.get("/")
    fields = [record.__dict__.get("fields", {}) for record in caplog.records]
    assert "user-alice" in [each.get("subject") for each in fields if each.get("path") == "/"]
    assert NAME not in str(fields)
