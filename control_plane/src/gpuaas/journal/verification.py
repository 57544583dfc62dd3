"""Whether a chain is whole, and if not, what is wrong with which entries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

from gpuaas.journal.chain import Entry, Pin, digest
from gpuaas.journal.reasons import JournalError, Reason

# Whoever has more than this is told how many, and reads the first ones first.
MAX_FINDINGS = 50


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with the entries from ``first`` to ``last``."""

    reason: Reason
    first: int
    last: int
    seen: str

    def __str__(self) -> str:
        return f"{self.reason}: {self.seen}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """``verified`` is how far everything holds, and ``resume`` where to go on so that this entry is read again.

    ``ahead`` counts entries after the head, whose note is still on its way; ``more`` findings that are not listed.
    """

    verified: Pin
    resume: Pin
    ahead: int
    findings: tuple[Finding, ...]
    more: int


def unreadable(start: Pin, error: JournalError) -> Verdict:
    """That of a chain of which something is no entry at all."""
    return Verdict(start, start, 0, (Finding(error.reason, start.number + 1, start.number + 1, error.seen),), 0)


class Verification:
    """Reads the entries of one project in order, from the one after ``start`` on, and then compares with the head.

    ``start`` and the head are known from somewhere else than the journal: what they say is what is verified.
    """

    def __init__(self, project: str, start: Pin) -> None:
        self._project = project
        self._start = self._last = start
        self._good = self._resume = start
        self._linked = True  # the digest of the last one is known
        self._damaged: list[Entry] = []
        self._others: list[Finding] = []
        self._more = 0
        self._head: bytes | None = None

    @property
    def number(self) -> int:
        """The last entry that was read."""
        return self._last.number

    def read(self, entries: Iterable[Entry], head: int) -> None:
        """The next ones; ``head`` is the number of the newest that is known elsewhere."""
        for entry in entries:
            self._read(entry)
            if entry.number == head:
                self._head = entry.digest

    def end(self, head: Pin) -> Verdict:
        """There are no more: what the chain is like, as far as ``head`` and after it."""
        findings = self._sorted()
        verified, resume = self._good, self._resume
        if self._last.number < head.number:
            first = self._last.number + 1
            seen = f"{self._not_there(first, head.number)}: the newest ones are lost"
            findings.append(Finding(Reason.LOST, first, head.number, seen))
        elif self._head is not None and self._head != head.digest and not findings:
            seen = f"the chain of project {self._project} is whole, and its entry {head.number} is not the one that was written"
            findings.append(Finding(Reason.REWRITTEN, head.number, head.number, seen))
            verified = resume = self._start
        return Verdict(
            verified,
            resume,
            max(0, self._last.number - head.number),
            tuple(findings[:MAX_FINDINGS]),
            self._more + len(findings[MAX_FINDINGS:]),
        )

    def _read(self, entry: Entry) -> None:
        expected = self._last.number + 1
        if entry.number > expected:
            last = entry.number - 1
            self._found(Finding(Reason.GAP, expected, last, self._not_there(expected, last)))
            self._linked = False
        if not (_stands_for(entry, entry.number) and entry.record.project == self._project):
            if len(self._damaged) < MAX_FINDINGS:
                self._damaged.append(entry)
            else:
                self._more += 1
        elif self._linked and entry.previous != self._last.digest and not self._is_damaged(entry.number - 1):
            before = entry.number - 1
            seen = f"entry {before} of project {self._project} is not the one before entry {entry.number}"
            self._found(Finding(Reason.CHANGED, before, before, seen))
        self._last, self._linked = entry.pin, True
        if not (self._damaged or self._others or self._more):
            self._good, self._resume = entry.pin, Pin(entry.number - 1, entry.previous)

    def _found(self, finding: Finding) -> None:
        if len(self._others) < MAX_FINDINGS:
            self._others.append(finding)
        else:
            self._more += 1

    def _not_there(self, first: int, last: int) -> str:
        if first == last:
            return f"entry {first} of project {self._project} is not there"
        return f"entries {first} to {last} of project {self._project} are not there"

    def _is_damaged(self, number: int) -> bool:
        return bool(self._damaged) and self._damaged[-1].number == number

    def _sorted(self) -> list[Finding]:
        found = list(self._others)
        left = {entry.number: entry for entry in self._damaged}
        for one, other in combinations(self._damaged, 2):
            both = left.keys() >= {one.number, other.number}
            if both and _stands_for(one, other.number) and _stands_for(other, one.number):
                seen = f"entries {one.number} and {other.number} of project {self._project} stand in each other's place"
                found.append(Finding(Reason.SWAPPED, one.number, other.number, seen))
                del left[one.number], left[other.number]
        for number in left:
            seen = f"entry {number} of project {self._project} has another content than was written"
            found.append(Finding(Reason.CHANGED, number, number, seen))
        return sorted(found, key=lambda finding: (finding.first, finding.last))


def _stands_for(entry: Entry, number: int) -> bool:
    return digest(entry.record, number, entry.previous) == entry.digest
