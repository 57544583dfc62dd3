"""Acknowledged is done, nothing is done twice, nothing is stuck, no GPU is held that nobody has."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from .clients import Asked
from .seen import Seen

# An instance's life, as its events tell it.
_LIFE = re.compile(r"requested( provisioning( running| failed| running failed)?)?( deleted released)?")
_ONCE = ("reserve", "storage", "start", "verify", "release")


def violations(history: Sequence[Asked], seen: Seen, told: Mapping[str, str]) -> list[str]:
    """Each thing that is not as it must be; also what was not tried, which proves nothing.

    ``told`` is what the API says of the state of each instance, ``deleted`` where it knows none.
    """
    created = {each.instance for each in history if each.what == "create" and each.acknowledged}
    deleted = {each.instance for each in history if each.what == "delete" and each.acknowledged}
    wrong = [
        *_each("was acknowledged and is not there", created - seen.instances.keys()),
        *_each("was deleted and is not", (id_ for id_ in deleted & seen.instances.keys() if seen.instances[id_].state != "deleted")),
        *_each("is there and nobody asked for it", seen.instances.keys() - created - _unanswered(history, seen, created)),
    ]
    for instance, its in seen.instances.items():
        if its.state not in ("running", "failed", "deleted"):
            wrong.append(f"{instance} is stuck in {its.state}")
        if not _LIFE.fullmatch(" ".join(its.events)):
            wrong.append(f"{instance} has an impossible life: {', '.join(its.events)}")
        if its.waiting:
            wrong.append(f"{instance} has {its.waiting} events that were not published")
        if lacks := [what for what in its.events if f"instances.{instance}.{what}" not in seen.stream]:
            wrong.append(f"{instance} has no {', '.join(lacks)} in the stream")
        if told.get(instance) != its.state:
            wrong.append(f"{instance} is {its.state}, and the API says {told.get(instance, 'nothing')}")
        if its.told != its.events:
            wrong.append(f"{instance} has a timeline of {', '.join(its.told) or 'nothing'}, and events {', '.join(its.events)}")
    wrong += _of_fleet(seen)
    wrong += [f"workflow {each} has not ended" for each in seen.open]
    if seen.letters:
        wrong.append(f"{seen.letters} messages were given up")
    ran = {instance for instance, its in seen.instances.items() if "running" in its.events}
    wrong += [f"nothing {what}" for what, found in (("was created", created), ("was deleted", deleted), ("ran", ran)) if not found]
    return wrong


def _of_fleet(seen: Seen) -> list[str]:
    effects: dict[str, list[str]] = defaultdict(list)
    holder: dict[str, str] = {}
    for line in seen.ledger:
        effects[line.reservation].append(line.effect)
        holder[line.reservation] = line.instance
    wrong = [
        f"reservation {reservation}: {effect} took effect {times} times"
        for reservation, done in effects.items()
        for effect, times in Counter(done).items()
        if effect in _ONCE and times > 1
    ]
    held: dict[str, int] = Counter(holder[reservation] for reservation, done in effects.items() if "release ended" not in done)
    for instance, its in seen.instances.items():
        wanted = 1 if its.state == "running" else 0
        if held[instance] != wanted:
            wrong.append(f"{instance} is {its.state} and holds {held[instance]} reservations")
    return wrong


def _unanswered(history: Sequence[Asked], seen: Seen, created: set[str]) -> set[str]:
    """Instances that may be there although their creation was never acknowledged: as many as such calls there are at most."""
    lost = sum(each.what == "create" and not each.acknowledged for each in history)
    return set(sorted(seen.instances.keys() - created)[:lost])


def _each(what: str, instances: Iterable[str]) -> list[str]:
    return [f"{instance} {what}" for instance in sorted(instances)]
