"""Acknowledged is done, nothing is done twice, nothing is stuck, no GPU is held that nobody has, no project has too many."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from . import workloads
from .clients import Asked
from .life import RESTING, lived
from .seen import Seen

_ONCE = ("reserve", "storage", "start", "verify", "stop", "release")
# An operation -> the state that its acknowledgement says, and the event of it. A resize of what is stopped is done at once.
_BEGINS = {"stop": "stopping", "start": "starting", "resize": "resizing"}
# What must have been tried, as the events of an instance show it.
_TRIED = {
    "ran": "running",
    "was deployed": "workload.deployed",
    "was stopped": "stopped",
    "was started again": "starting",
    "was to be resized": "resizing",
}


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
        if its.state not in RESTING:
            wrong.append(f"{instance} is stuck in {its.state}")
        life = lived(its.of_itself)
        if not life:
            wrong.append(f"{instance} has an impossible life: {', '.join(its.events)}")
        elif life.partition(" ")[0] != its.state:
            wrong.append(f"{instance} is {its.state}, and {life} by its events")
        if its.waiting:
            wrong.append(f"{instance} has {its.waiting} events that were not published")
        if lacks := [what for what in its.events if f"instances.{instance}.{what}" not in seen.stream]:
            wrong.append(f"{instance} has no {', '.join(lacks)} in the stream")
        if told.get(instance) != its.state:
            wrong.append(f"{instance} is {its.state}, and the API says {told.get(instance, 'nothing')}")
        if its.told != its.events:
            wrong.append(f"{instance} has a timeline of {', '.join(its.told) or 'nothing'}, and events {', '.join(its.events)}")
        if (written := [each for each in seen.journal if each in its.ids]) != its.ids:
            wrong.append(f"{instance} has {len(its.ids)} events, and {len(written)} entries of the journal or in another order")
        wrong += _of_operations(instance, its.events, [each for each in history if each.instance == instance])
    wrong += [*_of_fleet(seen), *workloads.violations(seen), *_of_sizes(history, seen)]
    wrong += [f"{project} uses {used} GPUs of {seen.allowed}" for project, used in seen.used.items() if used > seen.allowed]
    wrong += [f"workflow {each} has not ended" for each in seen.open]
    wrong += seen.broken
    if seen.letters:
        wrong.append(f"{seen.letters} messages were given up")
    tried = {what: any(event in its.events for its in seen.instances.values()) for what, event in _TRIED.items()}
    tried |= {"was created": bool(created), "was deleted": bool(deleted)}
    return [*wrong, *(f"nothing {what}" for what, was in tried.items() if not was)]


def _of_operations(instance: str, events: Sequence[str], calls: Sequence[Asked]) -> list[str]:
    """Each acknowledged operation was begun once, and none that nobody asked for."""
    wrong = []
    for what, state in _BEGINS.items():
        intents = {call.intent for call in calls if call.what == what}
        begun = {call.intent for call in calls if call.what == what and call.acknowledged and call.state == state}
        decided = {call.intent for call in calls if call.acknowledged or call.refused}
        found, least = events.count(state), len(begun)
        if not least <= found <= least + len(intents - decided):
            wrong.append(f"{instance}: {least} times {what} was acknowledged, and {found} times begun")
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
        elif seen.held.get(instance, []) != [its.size] * wanted:
            wrong.append(f"{instance} has {its.size} GPUs and is {its.state}, and the fleet gives it {seen.held.get(instance, [])}")
    return wrong


def _of_sizes(history: Sequence[Asked], seen: Seen) -> list[str]:
    """An instance has as many GPUs as somebody asked for."""
    asked: dict[str, set[int]] = defaultdict(set)
    refused = {call.intent for call in history if call.refused}
    for call in history:
        if call.intent not in refused:
            asked[call.instance].add(call.size)
    # Who asked for an instance and had no answer may have asked for any of these.
    lost = asked.pop("", set())
    return [
        f"{instance} has {its.size} GPUs, which nobody asked for"
        for instance, its in seen.instances.items()
        if its.size not in (asked.get(instance) or lost)
    ]


def _unanswered(history: Sequence[Asked], seen: Seen, created: set[str]) -> set[str]:
    """Instances that may be there although their creation was never acknowledged: as many as such intents there are at most."""
    answered = {each.intent for each in history if each.what == "create" and (each.acknowledged or each.refused)}
    lost = {each.intent for each in history if each.what == "create"} - answered
    return set(sorted(seen.instances.keys() - created)[: len(lost)])


def _each(what: str, instances: Iterable[str]) -> list[str]:
    return [f"{instance} {what}" for instance in sorted(instances)]
