"""What failed checks are told as: the cause first, everything listed, each advice once beneath all that it is for."""

from __future__ import annotations

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.causes import needed_by
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.engine import State
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.heartbeat import blocker
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Check, Result, failed
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.parse import parse
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.verdict import summary, verdict
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.tests.unit.checks.written import entries, entry

SERVICES = {
    "ingress": {},
    "store": {"needs": []},
    "api": {"needs": ["store"]},
    "web": {"needs": ["api", "elsewhere"]},
}


def check(name: str, proves: str = "ready") -> Check:
    component = name.partition("-")[0]
    return Check(name, component, proves, "up", "scripted", None, needs=needed_by(SERVICES, component))  # type: ignore[arg-type]


def result(name: str, reason: str = "", seen: str = "s", proves: str = "ready", do: str = "type this") -> Result:
    return Result(check(name, proves), not reason, seen, reason, do if reason else "", 1.0, 1)


def told(*results: Result) -> ParityError:
    error = verdict(results, "validate")
    assert error is not None
    return error


def test_what_a_component_needs_reaches_all_the_way_down() -> None:
    assert needed_by(SERVICES, "web") == {"api", "store", "elsewhere"}
    assert needed_by(SERVICES, "store") == frozenset()
    assert needed_by(SERVICES, "platform") == frozenset()
    assert needed_by({"a": {"needs": ["b"]}, "b": {"needs": ["a"]}}, "a") == {"b"}


def test_a_check_that_was_read_knows_what_its_component_needs() -> None:
    (read,) = parse(entries(entry()), {"services": {"api": {"needs": ["store"]}, "store": {"needs": ["disk"]}}})
    assert read.needs == {"store", "disk"}


def test_the_verdict_of_no_checks_is_a_failure() -> None:
    error = verdict([], "up")
    assert error is not None
    assert (error.reason, error.seen) == ("CHECK_MISSING", "there is no check of phase up")


def test_the_verdict_of_checks_that_hold() -> None:
    assert verdict([result("a")], "up") is None


def test_what_was_proved_is_a_line_for_each_component() -> None:
    proved = [result("api-ready"), result("store-ready"), result("api-entry", proves="ingress")]
    assert summary(proved) == ["  api     2 checks  ready, ingress", "  store    1 check  ready"]


def test_the_verdict_begins_with_what_explains_the_rest_and_lists_all() -> None:
    error = told(
        result("canary", "NETWORK_POLICY_UNPROVEN", proves="security"),
        result("later", "CHECK_UNFINISHED"),
        result("fine"),
        result("db", "WORKLOAD_NOT_READY", "pod db-0"),
        result("one", "HTTP_UNREACHABLE", "same", proves="ingress"),
        result("two", "HTTP_UNREACHABLE", "same", proves="ingress"),
    )
    assert (error.reason, error.do) == ("WORKLOAD_NOT_READY", "type this")
    assert error.seen.splitlines() == [
        "db: pod db-0",
        "in all 5 of 6 checks failed; the others:",
        "  one, two",
        "    HTTP_UNREACHABLE: same",
        "  canary",
        "    NETWORK_POLICY_UNPROVEN: s",
        "  later",
        "    CHECK_UNFINISHED: s",
    ]
    assert len(error.details["checks"]) == 6


def test_one_that_failed_needs_no_list() -> None:
    assert told(result("fine"), result("db", "WORKLOAD_NOT_READY", "pod db-0")).seen == "db: pod db-0"


def test_an_advice_stands_once_beneath_all_that_it_is_for() -> None:
    error = told(
        result("store", "WORKLOAD_NOT_READY", "pod store-0", do="make up"),
        result("api", "WORKLOAD_NOT_READY", "pod api-0", do="make up"),
        result("web", "WORKLOAD_NOT_READY", "pod web-0", do="make logs"),
        result("ingress", "HTTP_UNREACHABLE", "refused", proves="ingress", do="make logs"),
        result("ingress-tls", "TLS_INVALID", "expired", proves="security", do="make up"),
    )
    assert str(error).splitlines() == [
        "WORKLOAD_NOT_READY: store: pod store-0",
        "in all 5 of 5 checks failed; the others:",
        "  ingress",
        "    HTTP_UNREACHABLE: refused",
        "  web",
        "    WORKLOAD_NOT_READY: pod web-0",
        "    -> make logs",
        "  ingress-tls",
        "    TLS_INVALID: expired",
        "  api",
        "    WORKLOAD_NOT_READY: pod api-0",
        "  -> make up",
    ]
    assert [each["do"] for each in error.details["checks"]] == ["make up", "make up", "make logs", "make logs", "make up"]


@pytest.mark.parametrize("proves", ["ready", "ingress"])
def test_the_store_that_is_not_reached_is_the_cause(proves: str) -> None:
    """Whatever comes first in the lane: without the store there is no API, and the ingress answers 404 for it."""
    error = told(
        result("api-entry", "HTTP_UNEXPECTED", "the ingress answers 404", proves="ingress"),
        result("api-ready", "WORKLOAD_NOT_READY", "pod api-0"),
        result("web-ready", "WORKLOAD_NOT_READY", "pod web-0"),
        result("store-asked", "WORKLOAD_NOT_READY", "pod store-0 Pending", proves=proves),
    )
    assert error.seen.startswith("store-asked: pod store-0 Pending\n")


def test_what_others_do_not_rely_on_is_no_cause() -> None:
    error = told(
        result("store-settings", "CONFIG_DRIFT", "a setting differs", proves="config"),
        result("api-ready", "WORKLOAD_NOT_READY", "pod api-0"),
    )
    assert error.seen.startswith("api-ready: pod api-0\n")


def test_what_was_not_finished_is_no_cause() -> None:
    error = told(result("store-ready", "CHECK_UNFINISHED"), result("api-ready", "WORKLOAD_NOT_READY", "pod api-0"))
    assert error.seen.startswith("api-ready: pod api-0\n")


def test_a_wait_says_the_cause() -> None:
    states = [
        State(check("api-entry", "ingress"), failed("HTTP_UNEXPECTED", "the ingress answers 404")),
        State(check("api-ready"), failed("WORKLOAD_NOT_READY", "pod api-0")),
        State(check("web-ready")),
        State(check("store-ready"), failed("WORKLOAD_NOT_READY", "pod store-0\n Pending")),
    ]
    assert blocker(states) == "store: pod store-0 Pending"
    assert blocker(states[:3]) == "api: pod api-0"
    assert blocker(states[2:3]) == "web: looking"
    assert blocker([]) == ""
