# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The account of writes finds what is lost, what is there twice, and what nobody tried."""

from __future__ import annotations

import pytest
from ansible_collections.gpuaas.parity.tests.writes.account import Account, Stored, stored
from ansible_collections.gpuaas.parity.tests.writes.record import Call

SENT = Call("one", "calm", "201", 0.1, "id-1", at=1.0)
AGAIN = Call("one", "calm", "200", 0.1, "id-1", replayed=True, at=2.0)
LOST = Call("two", "storm", "ReadTimeout", 10.0, at=12.0)
KEPT = Stored("one", "id-1", 1)


def test_what_was_acknowledged_is_there() -> None:
    assert Account([SENT, AGAIN, LOST], [KEPT]).problems() == []


def test_what_nobody_answered_may_be_there_once() -> None:
    assert Account([SENT, AGAIN, LOST], [KEPT, Stored("two", "id-2", 1)]).problems() == []


@pytest.mark.parametrize(
    ("calls", "rows", "wrong"),
    [
        ([SENT, AGAIN], [], "one was acknowledged and is not stored"),
        ([SENT, AGAIN], [Stored("one", "id-9", 1)], "one was acknowledged and is not stored"),
        ([SENT, AGAIN, Call("one", "calm", "201", 0.1, "id-2")], [KEPT], "one was acknowledged with two ids"),
        ([SENT, AGAIN], [KEPT, Stored("one", "id-2", 1)], "one is stored twice"),
        ([SENT, AGAIN, LOST], [KEPT, Stored("two", "id-2", 0)], "two has not exactly one event of its creation"),
        ([SENT, AGAIN], [Stored("one", "id-1", 2)], "one has not exactly one event of its creation"),
        ([SENT, AGAIN], [KEPT, Stored("three", "id-3", 1)], "three is stored and nobody sent it"),
        ([LOST], [], "nothing was acknowledged"),
        ([SENT], [KEPT], "no key was sent again"),
    ],
)
def test_what_is_wrong_is_said(calls: list[Call], rows: list[Stored], wrong: str) -> None:
    assert wrong in Account(calls, rows).problems()


def test_the_counts_say_how_long_nothing_was_written() -> None:
    lines = Account([SENT, AGAIN, LOST], [KEPT, Stored("two", "id-2", 1)]).lines()
    assert lines[0] == "intents 2: 1 acknowledged, 1 not (1 of these stored); stored 2, events 2; 1 replays"
    assert lines[1:] == [
        "  calm: 1 s, 2 ok, at most 1.0 s without one; refused or lost: none",
        "  storm: 10 s, 0 ok, at most 10.0 s without one; refused or lost: 1 x ReadTimeout",
    ]


def test_rows_are_read_as_psql_prints_them() -> None:
    def sql(statement: str) -> str:
        assert "'kept-1-%'" in statement
        return "kept-1-0-0|id-1|1\nkept-1-0-1|id-2|0\n"

    assert stored(sql, "kept-1") == [Stored("kept-1-0-0", "id-1", 1), Stored("kept-1-0-1", "id-2", 0)]
