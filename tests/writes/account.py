"""What was acknowledged against what is stored: nothing lost, nothing twice, one event each."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from .record import Call

_STATEMENT = (
    "SELECT i.name, i.id, (SELECT count(*) FROM outbox o WHERE o.instance_id = i.id AND o.event_type = 'instance.requested')"
    " FROM instances i WHERE i.name LIKE '{run}-%'"
)


@dataclass(frozen=True)
class Stored:
    """An instance in the database, and how many events of its creation stand in the outbox."""

    name: str
    instance: str
    events: int


def stored(sql: Callable[[str], str], run: str) -> list[Stored]:
    """The instances of a run; ``sql`` gives what psql prints, unaligned and without headings."""
    rows = [line.split("|") for line in sql(_STATEMENT.format(run=run)).split()]
    return [Stored(name, instance, int(events)) for name, instance, events in rows]


@dataclass(frozen=True)
class Account:
    """Both sides of it."""

    calls: Sequence[Call]
    rows: Sequence[Stored]
    pages: Sequence[Call] = ()

    def problems(self) -> list[str]:
        """Each write that is not as it must be; also what was not tried, which proves nothing."""
        answered: dict[str, set[str]] = defaultdict(set)
        for call in self.calls:
            if call.instance:
                answered[call.name].add(call.instance)
        there: dict[str, list[Stored]] = defaultdict(list)
        for row in self.rows:
            there[row.name].append(row)
        lost = [name for name, ids in answered.items() if not ids <= {row.instance for row in there[name]}]
        wrong = [
            *_each("was acknowledged and is not stored", lost),
            *_each("was acknowledged with two ids", (name for name, ids in answered.items() if len(ids) > 1)),
            *_each("is stored twice", (name for name, rows in there.items() if len(rows) > 1)),
            *_each("has not exactly one event of its creation", (row.name for row in self.rows if row.events != 1)),
            *_each("is stored and nobody sent it", there.keys() - {call.name for call in self.calls}),
        ]
        if not answered:
            wrong.append("nothing was acknowledged")
        if not any(call.replayed for call in self.calls):
            wrong.append("no key was sent again")
        return wrong

    def lines(self) -> list[str]:
        """The counts: of all, then of each phase in its order."""
        names = {call.name for call in self.calls}
        sure = {call.name for call in self.calls if call.instance}
        unsure = {row.name for row in self.rows} - sure
        events = sum(row.events for row in self.rows)
        phases = dict.fromkeys(call.phase for call in [*self.calls, *self.pages])
        return [
            f"intents {len(names)}: {len(sure)} acknowledged, {len(names) - len(sure)} not ({len(unsure)} of these stored);"
            f" stored {len(self.rows)}, events {events}; {sum(call.replayed for call in self.calls)} replays",
            *(f"  {phase}: {' · console '.join(_parts(phase, self.calls, self.pages))}" for phase in phases),
        ]


def _each(what: str, names: Iterable[str]) -> list[str]:
    return [f"{name} {what}" for name in sorted(names)]


def _parts(phase: str, *kinds: Sequence[Call]) -> list[str]:
    return [_of(found) for calls in kinds if (found := [call for call in calls if call.phase == phase])]


def _of(calls: Sequence[Call]) -> str:
    """A phase in words: successes, the longest time without one, and every other answer with how often it came."""
    good = sorted(call.at for call in calls if call.instance)
    other = Counter(call.answer for call in calls if not call.instance)
    begin, end = min(call.at - call.seconds for call in calls), max(call.at for call in calls)
    times = [begin, *good, end]
    gap = max(after - before for before, after in itertools.pairwise(times))
    refused = ", ".join(f"{count} x {answer}" for answer, count in other.most_common()) or "none"
    return f"{end - begin:.0f} s, {len(good)} ok, at most {gap:.1f} s without one; refused or lost: {refused}"
