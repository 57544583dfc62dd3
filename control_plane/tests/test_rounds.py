"""A worker does its work while its last good round is not old."""

from __future__ import annotations

import logging

import pytest

from gpuaas.reporting.rounds import Rounds, said

_log = logging.getLogger("rounds")


def test_the_last_good_round_is_what_counts() -> None:
    now = [0.0]
    rounds = Rounds(_log, "worker waits", 30.0, lambda: now[0])
    assert rounds.fault() == "no round yet"
    rounds.good()
    assert rounds.fault() is None
    now[0] = 31.0
    assert rounds.fault() == "the last round ended 31 s ago"
    rounds.failed("OSError: away")
    assert rounds.fault() == "OSError: away"
    rounds.good()
    assert rounds.fault() is None


def test_a_fault_that_lasts_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    rounds = Rounds(_log, "worker waits", 30.0)
    for cause in ("away", "away", "full"):
        rounds.failed(cause)
    rounds.good()
    rounds.failed("full")
    assert [(each.message, vars(each)["fields"]) for each in caplog.records] == [
        ("worker waits", {"cause": cause}) for cause in ("away", "full", "full")
    ]


@pytest.mark.parametrize(("error", "line"), [(OSError("away"), "OSError: away"), (TimeoutError(), "TimeoutError")])
def test_an_error_in_a_line(error: Exception, line: str) -> None:
    assert said(error) == line
