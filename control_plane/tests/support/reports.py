"""Reports as workers write them, with their own roles; some are old."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime

import psycopg

from gpuaas.reporting.documents import (
    DEAD_LETTERS,
    FLEET,
    JOURNAL,
    STREAMS,
    WORKER,
    Capacity,
    DeadLetter,
    DeadLetters,
    Disagreement,
    Document,
    Done,
    Fleet,
    Journal,
    JournalChain,
    Lag,
    Node,
    Stream,
    Streams,
    Worker,
    as_json,
)
from support import processes
from support.processes import Server

NOW = datetime(2026, 11, 30, 10, tzinfo=UTC)
WRITE = (
    "INSERT INTO reports (about, content) VALUES (%s, %s)"
    " ON CONFLICT (about, role) DO UPDATE SET content = EXCLUDED.content, reported_at = now()"
)

type Say = Callable[..., None]


def sayer(postgres: Server, database: psycopg.Connection) -> Say:
    """Report as a role: ``say("gpuaas_relay", WORKER, document, seconds)``, so many seconds ago."""

    def say(role: str, about: str, document: Document, seconds: int = 0) -> None:
        with processes.connect(postgres, role) as its:
            its.execute(WRITE, [about, as_json(document)])
        database.execute(
            "UPDATE reports SET reported_at = now() - make_interval(secs => %s) WHERE (role, about) = (%s, %s)",
            [seconds, role, about],
        )

    return say


def worker(name: str, missing: dict[str, str] | None = None, lag: Lag | None = None) -> Worker:
    done = [Done(what="events handled", count=1204, last="instances.3f0d.requested", last_at=NOW)]
    return Worker(
        name=name, version="1.0", process=f"{name}-0", started_at=NOW, missing=missing or {}, done=done, lag=lag
    )


def letter(instance: object, number: int = 12) -> DeadLetter:
    return DeadLetter(
        id=number,
        consumer="notification",
        reason="malformed_json",
        detail="<script>alert(1)</script>",
        subject=f"instances.{instance}.requested",
        instance=str(instance),
        attempts=1,
        event=str(uuid.uuid4()),
        given_up_at=NOW,
    )


def letters(*instances: object, total: int | None = None) -> DeadLetters:
    items = [letter(instance, number) for number, instance in enumerate(instances, 12)]
    return DeadLetters(total=len(items) if total is None else total, items=items)


def fleet(free: int = 5, lost: bool = False, disagreements: tuple[Disagreement, ...] = ()) -> Fleet:
    node = Node(
        name="gpu-01", gpu_type="H100", state="lost" if lost else "ready", total=8, reserved=2, free=free, faulty=1
    )
    capacity = Capacity(gpu_type="H100", total=8, reserved=2, free=free, unavailable=6 - free, largest=free)
    none = Capacity(gpu_type="L40S", total=0, reserved=0, free=0, unavailable=0, largest=0)
    return Fleet(capacity=[capacity, none], nodes=[node], disagreements=list(disagreements))


def journal(behind_since: datetime | None = None, faults: tuple[str, ...] = ()) -> Journal:
    atlas = JournalChain(project="atlas", start=0, number=41, verified=41)
    borealis = JournalChain(project="borealis", start=3, number=9, verified=3 if faults else 9, faults=list(faults))
    reason = "journal_unreachable: put_item of table journal: EndpointConnectionError" if behind_since else ""
    return Journal(
        waiting=12 if behind_since else 0, behind_since=behind_since, reason=reason, chains=[borealis, atlas]
    )


def everybody(say: Say, seconds: int = 0) -> None:
    """A platform that does well."""
    say("gpuaas_relay", WORKER, worker("outbox-relay"), seconds)
    say("gpuaas_relay", STREAMS, Streams(items=[Stream(name="instances", messages=7, bytes=2048, max_bytes=2**28)]))
    say("gpuaas_relay", DEAD_LETTERS, letters(), seconds)
    say("gpuaas_notification", WORKER, worker("notification", lag=Lag(waiting=3, held=1)), seconds)
    say("gpuaas_provisioning", WORKER, worker("provisioning"), seconds)
    say("gpuaas_provisioning", FLEET, fleet(), seconds)
    say("gpuaas_journal", WORKER, worker("journal"), seconds)
    say("gpuaas_journal", JOURNAL, journal(), seconds)
