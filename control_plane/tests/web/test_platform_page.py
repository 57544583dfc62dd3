"""The operators' page: who sees it, what it says of a platform that does well, badly, or has no workers; and tenants' words."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import httpx
import psycopg
import pytest

from gpuaas.api.platform import reader
from gpuaas.reporting.documents import DEAD_LETTERS, FLEET, JOURNAL, STREAMS, WORKER, Disagreement, Stream, Streams
from support import reports
from support.browser import Browser, Forms
from support.issuer import Issuer
from support.processes import Server
from support.reports import Say


@pytest.fixture(autouse=True)
def looks_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "REMEMBERED_SECONDS", 0.0)


@pytest.fixture
def say(postgres: Server, database: psycopg.Connection) -> Say:
    return reports.sayer(postgres, database)


@pytest.fixture
def carol(issuer: Issuer) -> None:
    issuer.user = {"roles": ["platform"], "groups": [], "preferred_username": "carol"}


def words(page: httpx.Response) -> str:
    """What a reader sees."""
    return " ".join(re.sub(r"<[^>]*>", " ", page.text.partition("<main")[2]).split())


def test_tenants_neither_see_nor_reach_it(browser: Browser, api: httpx.Client) -> None:
    home = browser.get("/auth/login")
    assert "platform" not in Forms(home.text).test_ids
    refused = browser.get("/platform")
    assert (refused.status_code, "That is not allowed" in refused.text) == (403, True)
    assert "Workers" not in refused.text
    browser.submit(home, "/auth/logout")
    assert browser.get("/platform").status_code == 401


def test_who_runs_the_platform_and_has_no_project_begins_there(
    browser: Browser, api: httpx.Client, carol: None
) -> None:
    page = browser.get("/auth/login")
    assert "<h1>Platform</h1>" in page.text
    assert 'href="/platform" data-testid="platform" aria-current="page"' in page.text


def test_who_has_both_sees_both(browser: Browser, api: httpx.Client, issuer: Issuer) -> None:
    issuer.user["roles"] = ["operator", "platform"]
    page = browser.get("/auth/login")
    assert {"platform", "create-form"} <= set(Forms(page.text).test_ids)
    page = browser.submit(page, "/instances", name="training-1", gpu_type="A100", gpu_count="2")
    [link] = re.findall(r'href="(/instances/[0-9a-f-]{36})"', page.text)
    assert "platform" in Forms(browser.get(link).text).test_ids
    assert browser.get("/platform").status_code == 200


def test_a_lane_without_workers(browser: Browser, api: httpx.Client, carol: None) -> None:
    page = browser.get("/auth/login")
    assert page.status_code == 200
    assert "No worker has reported yet. Workers belong to lane async; lane core has none." in words(page)
    assert Forms(page.text).test_ids.count("unknown") == 5


def test_a_platform_that_does_well(browser: Browser, api: httpx.Client, carol: None, say: Say) -> None:
    reports.everybody(say)
    page = browser.get("/auth/login")
    said = words(page)
    [attention] = re.findall(r'data-testid="attention">(.*?)</section>', page.text, re.DOTALL)
    assert re.findall(r"<li>(.*)</li>", attention) == ["1 faulty GPU."]
    assert Forms(page.text).test_ids.count("worker") == 4
    assert "1204 events handled" in said
    assert "instances 7 2 KiB 256 MiB" in said
    assert "H100 8 2 5 1 5" in said
    assert "atlas 41 41" in said
    assert "borealis 9 those up to 3 are lost 9" in said
    assert "no-letters" in Forms(page.text).test_ids
    assert "<script>" not in page.text
    assert " style=" not in page.text


def test_what_needs_attention_is_said_first(browser: Browser, api: httpx.Client, carol: None, say: Say) -> None:
    reports.everybody(say)
    say("gpuaas_notification", WORKER, reports.worker("notification"), 240)
    say("gpuaas_provisioning", WORKER, reports.worker("provisioning", missing={"temporal": "not reachable (x)"}))
    say(
        "gpuaas_relay", STREAMS, Streams(items=[Stream(name="a", messages=0, bytes=0, max_bytes=1)], differ=["b.c"]), 60
    )
    say("gpuaas_relay", DEAD_LETTERS, reports.letters("one", "two", total=2000))
    found = Disagreement(instance_id="three", reason="node_lost", detail="reservation 4 is failed")
    say("gpuaas_provisioning", FLEET, reports.fleet(free=0, lost=True, disagreements=(found,)))
    fault = "journal_lost: entries 4 to 9 of project borealis are not there: the newest ones are lost"
    say("gpuaas_journal", JOURNAL, reports.journal(datetime.now(UTC) - timedelta(minutes=5), (fault,)))
    page = browser.get("/auth/login")
    said = words(page)
    for sentence in (
        "notification: no report for 4 min.",
        "provisioning waits for temporal.",
        "The streams: no report for 1 min.",
        "Not as it should be: b.c.",
        "2000 dead letters.",
        "Fleet and database disagree about 1 instance.",
        "Nodes that are lost: gpu-01.",
        "1 faulty GPU.",
        "No free GPU of type H100.",
        "The journal is behind: 12 events, the oldest for 5 min. Nothing else waits for it.",
        "The journal does not hold for borealis.",
        "journal_unreachable: put_item of table journal: EndpointConnectionError",
        fault,
        "temporal: not reachable (x)",
        "The first 2 of 2000.",
        "make parity-deadletters REPLAY=12",
        "three : node_lost, reservation 4 is failed",
    ):
        assert sentence in said
    # What somebody else wrote is text.
    assert "&lt;script&gt;alert(1)" in page.text
    assert re.search(r"no report since \d\d \w{3} \d{4}, [\d:]{8} UTC, 4 min ago", said)


def test_nothing_needs_attention(browser: Browser, api: httpx.Client, carol: None, say: Say) -> None:
    say("gpuaas_relay", WORKER, reports.worker("outbox-relay"))
    assert "Nothing needs attention." in words(browser.get("/auth/login"))


def test_a_tenant_reads_sentences(browser: Browser, api: httpx.Client, say: Say, database: psycopg.Connection) -> None:
    home = browser.get("/auth/login")
    assert "notice" not in Forms(home.text).test_ids
    page = browser.submit(home, "/instances", name="training-1", gpu_type="A100", gpu_count="2")
    [link] = re.findall(r'href="(/instances/[0-9a-f-]{36})"', page.text)
    say("gpuaas_relay", WORKER, reports.worker("outbox-relay"), 60)
    say("gpuaas_relay", DEAD_LETTERS, reports.letters(link.rpartition("/")[2]))
    for page in (browser.get("/"), browser.get(link)):
        assert Forms(page.text).test_ids.count("notice") == 2
        said = words(page)
        assert "Things take longer than usual at the moment." in said
        assert "A step of this instance could not be done." in said
        for number in ("outbox-relay", "dead letter", "malformed_json"):
            assert number not in said


def test_without_notices_the_page_is_shown_all_the_same(
    browser: Browser, api: httpx.Client, database: psycopg.Connection
) -> None:
    page = browser.get("/auth/login")
    database.execute("ALTER TABLE reports RENAME TO away")
    try:
        page = browser.get("/")
    finally:
        database.execute("ALTER TABLE away RENAME TO reports")
    assert (page.status_code, "create-form" in Forms(page.text).test_ids) == (200, True)
