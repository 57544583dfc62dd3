"""What a store of the journal does, whichever it is. It is asked from threads, and each question has an end."""

from __future__ import annotations

from typing import Protocol

from gpuaas.journal.chain import Entry

PAGE = 100


class Journal(Protocol):
    """Entries by project and number. Nothing is changed and nothing removed. All of it raises JournalError."""

    def prepare(self) -> None:
        """Have a table, where there is none."""

    def append(self, entry: Entry) -> bool:
        """Write it down unless its project has an entry of this number; returns whether it was written now."""

    def page(self, project: str, after: int, limit: int = PAGE) -> list[Entry]:
        """What was written up to now of the entries after a number, in order: ``limit`` at most, and none when there are none."""

    def head(self, project: str) -> Entry | None:
        """The newest one."""

    def close(self) -> None:
        """Let go of connections."""
