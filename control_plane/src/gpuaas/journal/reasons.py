"""What can be wrong with a journal, by name; the ids are stable."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """One id for each cause; ``ADVICE`` says what to do about it."""

    # The store does not do what it is asked; the worker waits, and catches up.
    UNREACHABLE = "journal_unreachable"
    THROTTLED = "journal_throttled"
    DENIED = "journal_denied"
    TABLE_MISSING = "journal_table_missing"
    REFUSED = "journal_refused"
    # The chain of a project is not what it was; its worker adds nothing to it.
    GAP = "journal_gap"
    CHANGED = "journal_changed"
    SWAPPED = "journal_swapped"
    LOST = "journal_lost"
    REWRITTEN = "journal_rewritten"
    FOREIGN = "journal_foreign"
    TOO_LARGE = "journal_too_large"


_RESTORE = "gpuaas journal --restore writes again what the outbox still has, and says what it does not"
_EVIDENCE = (
    "leave it as it is, nothing overwrites it; find out who could write there, and compare with a backup of the table"
)

ADVICE: dict[Reason, str] = {
    Reason.UNREACHABLE: "start the store, or mend the way to it: what waits is written then, nothing is lost",
    Reason.THROTTLED: "give the table more capacity; what waits is written as fast as it takes it",
    Reason.DENIED: "give this identity dynamodb:PutItem and dynamodb:Query on the table, and look at its key",
    Reason.TABLE_MISSING: "there were entries, so it is not made again by itself: restore it from a backup, or gpuaas journal --restore",
    Reason.REFUSED: "make the table with partition key project (S) and sort key number (N), and no others",
    Reason.GAP: _RESTORE,
    Reason.LOST: _RESTORE,
    Reason.CHANGED: _EVIDENCE,
    Reason.SWAPPED: _EVIDENCE,
    Reason.REWRITTEN: _EVIDENCE,
    Reason.FOREIGN: "the database was set back, or somebody else wrote: empty the journal with the database, or find out who it was",
    Reason.TOO_LARGE: "an item of DynamoDB has at most 400 KB: write smaller events",
}

# Of these the worker waits with everything; of the others with the one project.
AWAY = {Reason.UNREACHABLE, Reason.THROTTLED, Reason.DENIED, Reason.TABLE_MISSING, Reason.REFUSED}


class JournalError(Exception):
    """``seen`` never has a payload or a credential in it."""

    def __init__(self, reason: Reason, seen: str) -> None:
        super().__init__(f"{reason}: {seen}")
        self.reason = reason
        self.seen = seen
        self.advice = ADVICE[reason]
