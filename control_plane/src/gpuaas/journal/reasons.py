"""What can be wrong with a journal, by name. The ids are stable; docs/runbook.md has this as a table."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """One id for each cause; ``REASONS`` says what it means, and what to do about it."""

    # The store does not do what it is asked: the worker waits with everything, and catches up.
    UNREACHABLE = "journal_unreachable"
    THROTTLED = "journal_throttled"
    DENIED = "journal_denied"
    TABLE_MISSING = "journal_table_missing"
    REFUSED = "journal_refused"
    # The chain of a project is not what it was.
    LOST = "journal_lost"
    GAP = "journal_gap"
    CHANGED = "journal_changed"
    SWAPPED = "journal_swapped"
    REWRITTEN = "journal_rewritten"
    FOREIGN = "journal_foreign"
    TOO_LARGE = "journal_too_large"
    # The process does not start.
    FILE_NOT_LOCAL = "journal_file_not_local"


AWAY = {Reason.UNREACHABLE, Reason.THROTTLED, Reason.DENIED, Reason.TABLE_MISSING, Reason.REFUSED}


@dataclass(frozen=True, slots=True)
class Said:
    """What a reason means, and what to do."""

    means: str
    do: str


_RESTORE = "make parity-journal-restore: it writes again what the outbox still has, and says what it does not"
_EVIDENCE = "leave it, nothing overwrites it; find out who could write there, and compare with a backup of the table"

REASONS: dict[Reason, Said] = {
    Reason.UNREACHABLE: Said(
        "nobody answers, or not in time", "start the store, or mend the way to it; what waits is written then"
    ),
    Reason.THROTTLED: Said("the table takes no more at the moment", "give it more capacity"),
    Reason.DENIED: Said(
        "the store does not let this identity do it",
        "give it dynamodb:PutItem and dynamodb:Query on the table, and look at its key",
    ),
    Reason.TABLE_MISSING: Said(
        "the table is gone, and there were entries", "restore the table from a backup, or make parity-journal-restore"
    ),
    Reason.REFUSED: Said(
        "the store refuses a question, as where the table has other keys",
        "make it with partition key project (S) and sort key number (N), and no others",
    ),
    Reason.LOST: Said("the newest entries are not there, as after a volume from a backup", _RESTORE),
    Reason.GAP: Said("entries in between are not there", _RESTORE),
    Reason.CHANGED: Said("an entry has another content than was written", _EVIDENCE),
    Reason.SWAPPED: Said("two entries stand in each other's place", _EVIDENCE),
    Reason.REWRITTEN: Said("the chain is whole, and not the one that was written", _EVIDENCE),
    Reason.FOREIGN: Said(
        "there is an entry of no event that waits: the database was set back, or somebody else wrote",
        "empty the journal with the database, or find out who it was",
    ),
    Reason.TOO_LARGE: Said("an event is larger than an item may be, 400 KB", "write smaller events"),
    Reason.FILE_NOT_LOCAL: Said(
        "the store is a file, and the security mode is not LOCAL",
        "name a table of DynamoDB in GPUAAS_JOURNAL_STORE",
    ),
}


class JournalError(Exception):
    """``seen`` never has a payload or a credential in it."""

    def __init__(self, reason: Reason, seen: str) -> None:
        super().__init__(f"{reason}: {seen}")
        self.reason = reason
        self.seen = seen
        self.advice = REASONS[reason].do
