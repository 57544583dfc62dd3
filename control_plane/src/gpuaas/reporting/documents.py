"""What a report says. A worker writes it and the API shows it; one of the two may be newer, so fields are only added, with a
default. Workers need no pydantic for it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Protocol

WORKER, STREAMS, DEAD_LETTERS, FLEET, JOURNAL = "worker", "streams", "deadletters", "fleet", "journal"


class Document(Protocol):
    """Any of these."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


def as_json(document: Document) -> str:
    """As it stands in the table."""
    return json.dumps(asdict(document), default=datetime.isoformat)


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """How often a worker did something since it started, such as "events published", and what it was last."""

    what: str
    count: int
    last: str = ""
    last_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Lag:
    """How far a consumer of events is behind: events that it was not sent yet, and events that it has and has not answered."""

    waiting: int
    held: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Worker:
    """A worker of itself: ``process`` is the name of its pod or container, ``missing`` what it waits for and why.

    ``lag`` is that of a consumer of events, while the stream answers.
    """

    name: str
    version: str
    process: str
    started_at: datetime
    missing: dict[str, str] = field(default_factory=dict)
    done: list[Done] = field(default_factory=list)
    lag: Lag | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Stream:
    """A stream of events."""

    name: str
    messages: int
    bytes: int
    max_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Streams:
    """The streams, as the relay sees them; ``differ`` says where one is not what it should be."""

    items: list[Stream]
    differ: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadLetter:
    """A message that a consumer gave up; ``reason`` is one word, and stable."""

    id: int
    consumer: str
    reason: str
    detail: str
    subject: str
    instance: str
    attempts: int
    event: str = ""
    given_up_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadLetters:
    """What consumers gave up: the oldest of them, and how many there are."""

    total: int
    items: list[DeadLetter]


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """A machine of the fleet, and how many of its GPUs are what; a faulty one has an error, reserved or not."""

    name: str
    gpu_type: str
    state: str
    total: int
    reserved: int
    free: int
    faulty: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Capacity:
    """The GPUs of a type: ``total`` is the sum of the next three, ``largest`` what one reservation can have at most.

    Unavailable are those that are not reserved, and faulty or on a lost node.
    """

    gpu_type: str
    total: int
    reserved: int
    free: int
    unavailable: int
    largest: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Disagreement:
    """Where the database and the fleet disagree about an instance.

    ``reason`` is why it does not run, and empty when it holds GPUs and should not.
    """

    instance_id: str
    reason: str
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Fleet:
    """The fleet, as provisioning sees it; ``settled`` counts disagreements that a workflow was begun for."""

    capacity: list[Capacity]
    nodes: list[Node]
    disagreements: list[Disagreement] = field(default_factory=list)
    settled: Done | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class JournalChain:
    """A project's chain: its newest entry, and how far it was verified from the one after ``start`` on.

    ``start`` is 0, unless entries up to it were lost.
    """

    project: str
    start: int
    number: int
    verified: int
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class Journal:
    """The journal, as its worker sees it: events that are not in it yet, since when it is behind, and why.

    ``more`` counts chains that are not listed; those with faults come first.
    """

    waiting: int
    behind_since: datetime | None = None
    reason: str = ""
    chains: list[JournalChain] = field(default_factory=list)
    more: int = 0
