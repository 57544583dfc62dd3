"""The chain by itself: what an entry's digest covers, and what a reader finds."""

from __future__ import annotations

import dataclasses
import hashlib
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from gpuaas.journal.chain import GENESIS, Entry, Pin, Record, digest, following, pae, written
from gpuaas.journal.verification import MAX_FINDINGS, Verdict, Verification

PROJECT = "atlas"


def record(number: int, **changes: Any) -> Record:
    said = Record(
        project=PROJECT,
        event_id=uuid.UUID(int=number),
        type="instance.requested",
        schema_version=1,
        time="2026-11-30T10:00:00.000000Z",
        payload=b'{"actor":"alice"}',
    )
    return dataclasses.replace(said, **changes)


def chain(length: int, start: Pin = GENESIS) -> list[Entry]:
    entries: list[Entry] = []
    for number in range(start.number + 1, start.number + length + 1):
        entries.append(following(entries[-1].pin if entries else start, record(number)))
    return entries


def verified(entries: list[Entry], head: Pin, start: Pin = GENESIS) -> Verdict:
    reading = Verification(PROJECT, start)
    reading.read(entries, head.number)
    return reading.end(head)


def holds(entries: list[Entry], head: Pin, start: Pin = GENESIS) -> tuple[Pin, int]:
    """How far, and how many more there are; nothing is wrong."""
    verdict = verified(entries, head, start)
    assert verdict.findings == ()
    return verdict.verified, verdict.ahead


def found(entries: list[Entry], head: Pin, start: Pin = GENESIS) -> list[tuple[str, int, int]]:
    return [(its.reason.value, its.first, its.last) for its in verified(entries, head, start).findings]


def forged(entry: Entry, **changes: Any) -> Entry:
    """Another content, and the digest that belongs to it."""
    other = dataclasses.replace(entry.record, **changes)
    return Entry(other, entry.number, entry.previous, digest(other, entry.number, entry.previous))


def test_pae_is_that_of_paseto() -> None:
    # From the specification's text, and one of its test vectors.
    assert pae([]) == b"\x00" * 8
    assert pae([b""]) == b"\x01" + b"\x00" * 15
    assert pae([b"test"]) == b"\x01" + b"\x00" * 7 + b"\x04" + b"\x00" * 7 + b"test"


def test_a_digest_stays_what_it_is() -> None:
    """A journal outlives every version: this one is computed by hand, and may never change."""
    pieces = [
        b"gpuaas-journal-v1",
        bytes(32),
        b"atlas",
        b"1",
        b"00000000-0000-0000-0000-000000000001",
        b"instance.requested",
        b"1",
        b"2026-11-30T10:00:00.000000Z",
        b'{"actor":"alice"}',
    ]
    encoded = (9).to_bytes(8, "little") + b"".join(len(it).to_bytes(8, "little") + it for it in pieces)
    [first] = chain(1)
    assert first.digest == hashlib.sha256(encoded).digest()
    assert first.digest.hex() == "5e13000ea2908a021316996ec1ed7dcc371ff8c0236aeb2ac491ecba2114891e"


@pytest.mark.parametrize(
    "changes",
    [
        {"project": "borealis"},
        {"event_id": uuid.UUID(int=99)},
        {"type": "instance.deleted"},
        {"schema_version": 2},
        {"time": "2026-11-30T10:00:00.000001Z"},
        {"payload": b'{"actor":"mallory"}'},
        {"payload": b""},
        # What goes from one field to its neighbour makes another entry.
        {"type": "instance.requeste", "time": "d2026-11-30T10:00:00.000000Z"},
    ],
)
def test_a_digest_covers_every_field(changes: dict[str, Any]) -> None:
    assert digest(record(1, **changes), 1, GENESIS.digest) != digest(record(1), 1, GENESIS.digest)
    assert digest(record(1), 2, GENESIS.digest) != digest(record(1), 1, GENESIS.digest)
    assert digest(record(1), 1, b"\1" * 32) != digest(record(1), 1, GENESIS.digest)


def test_a_time_is_written_in_one_way() -> None:
    east = timezone(timedelta(hours=2))
    assert written(datetime(2026, 11, 30, 12, tzinfo=east)) == "2026-11-30T10:00:00.000000Z"
    assert written(datetime(2026, 11, 30, 10, 0, 0, 5, UTC)) == "2026-11-30T10:00:00.000005Z"


def test_a_whole_chain_is_verified_up_to_its_head() -> None:
    entries = chain(5)
    assert holds(entries, entries[-1].pin) == (entries[-1].pin, 0)
    assert holds(entries[2:], entries[-1].pin, entries[1].pin) == (entries[-1].pin, 0)
    assert holds([], GENESIS) == (GENESIS, 0)


def test_who_goes_on_reads_the_newest_one_again() -> None:
    entries = chain(5)
    resume = verified(entries, entries[-1].pin).resume
    assert resume == entries[3].pin
    assert holds(entries[4:], entries[-1].pin, resume) == (entries[-1].pin, 0)
    assert found([], entries[-1].pin, resume) == [("journal_lost", 5, 5)]


def test_entries_after_the_head_belong_to_the_chain() -> None:
    entries = chain(5)
    assert holds(entries, entries[2].pin) == (entries[-1].pin, 2)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda its: [*its[:1], *its[3:]], [("journal_gap", 2, 3)]),
        (lambda its: its[1:], [("journal_gap", 1, 1)]),
        (lambda its: its[:4], [("journal_lost", 5, 6)]),
        (lambda its: [], [("journal_lost", 1, 6)]),
        (lambda its: [its[0], its[2], its[3]], [("journal_gap", 2, 2), ("journal_lost", 5, 6)]),
    ],
)
def test_entries_that_are_not_there_are_named(
    damage: Callable[..., list[Entry]], told: list[tuple[str, int, int]]
) -> None:
    entries = chain(6)
    assert found(damage(entries), entries[-1].pin) == told


def with_another(entries: list[Entry], number: int, other: Entry) -> list[Entry]:
    return [other if entry.number == number else entry for entry in entries]


@pytest.mark.parametrize("number", [1, 3, 6])
@pytest.mark.parametrize(
    "changes",
    [
        {"payload": b"{}"},
        {"type": "instance.deleted"},
        {"time": "2020-01-01T00:00:00.000000Z"},
        {"project": "borealis"},
    ],
)
def test_an_entry_that_was_changed_is_named(number: int, changes: dict[str, Any]) -> None:
    entries = chain(6)
    entry = entries[number - 1]
    plain = dataclasses.replace(entry, record=dataclasses.replace(entry.record, **changes))
    assert found(with_another(entries, number, plain), entries[-1].pin) == [("journal_changed", number, number)]


@pytest.mark.parametrize("number", [1, 3])
def test_one_that_was_changed_with_its_digest_does_not_fit_the_next(number: int) -> None:
    entries = chain(6)
    other = forged(entries[number - 1], payload=b"{}")
    assert found(with_another(entries, number, other), entries[-1].pin) == [("journal_changed", number, number)]
    assert verified(with_another(entries, number, other), entries[-1].pin).verified.number == number


def test_a_past_that_was_written_again_is_another_one_than_the_head_knows() -> None:
    entries = chain(6)
    again = entries[:2]
    for number in range(3, 7):
        again.append(following(again[-1].pin, record(number, payload=b"{}")))
    assert found(again, entries[-1].pin) == [("journal_rewritten", 6, 6)]
    # Of none of it can be said that it holds.
    assert verified(again, entries[-1].pin).verified == GENESIS
    newest = with_another(entries, 6, forged(entries[5], payload=b"{}"))
    assert found(newest, entries[-1].pin) == [("journal_rewritten", 6, 6)]


def test_entries_in_each_others_place_are_named() -> None:
    entries = chain(6)
    third, fifth = entries[2], entries[4]
    swapped = with_another(
        with_another(entries, 3, dataclasses.replace(fifth, number=3)), 5, dataclasses.replace(third, number=5)
    )
    assert found(swapped, entries[-1].pin) == [("journal_swapped", 3, 5)]
    neighbours = with_another(
        with_another(entries, 3, dataclasses.replace(entries[3], number=3)), 4, dataclasses.replace(third, number=4)
    )
    assert found(neighbours, entries[-1].pin) == [("journal_swapped", 3, 4)]


def test_what_holds_ends_before_the_first_fault() -> None:
    entries = chain(6)
    plain = dataclasses.replace(entries[3], record=record(4, payload=b"{}"))
    assert verified(with_another(entries, 4, plain), entries[-1].pin).verified == entries[2].pin


def test_a_chain_of_another_start_is_refused() -> None:
    entries = chain(3)
    assert found(entries[1:], entries[-1].pin, Pin(1, b"\1" * 32)) == [("journal_changed", 1, 1)]


def test_findings_are_bounded_and_counted() -> None:
    entries = [
        dataclasses.replace(entry, record=record(entry.number, payload=b"{}")) for entry in chain(MAX_FINDINGS + 30)
    ]
    verdict = verified(entries, entries[-1].pin)
    assert (len(verdict.findings), verdict.more) == (MAX_FINDINGS, 30)
