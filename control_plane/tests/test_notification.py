"""Worker ``notification``, with its own rights in Postgres and NATS: each event is one entry of a timeline, in order."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from gpuaas import database as connections
from gpuaas.messaging.connection import Messaging
from gpuaas.notification import timeline
from gpuaas.notification.process import create_consumer
from gpuaas.notification.sentences import sentence
from gpuaas.settings import WorkerSettings, read_settings
from support.nats import Nats
from support.processes import Server, wait_for
from support.streaming import connected, event, forget, held, made, publish, running, settled, stored

type Connections = Callable[[str], Messaging]
SOURCE = Path(__file__).parents[1] / "src"


@pytest.fixture
def notifying(worker_environment: Callable[[str], dict[str, str]], database: psycopg.Connection) -> dict[str, str]:
    return {**worker_environment("notification"), "GPUAAS_DATABASE_USER": "gpuaas_notification"}


@pytest.fixture
def settings(notifying: dict[str, str]) -> WorkerSettings:
    return read_settings(WorkerSettings, notifying)


def instance(database: psycopg.Connection, project: str = "atlas") -> uuid.UUID:
    identity = uuid.uuid4()
    database.execute(
        "INSERT INTO instances (id, project, name, gpu_type, gpu_count, state, created_by, created_at)"
        " VALUES (%s, %s, 'one', 'H100', 4, 'requested', 'alice', now())",
        [identity, project],
    )
    return identity


def entries(database: psycopg.Connection, columns: str = "position, instance_id, type") -> list[Any]:
    return database.execute(f"SELECT {columns} FROM timeline ORDER BY position").fetchall()


def consume(
    messaging: Connections, settings: WorkerSettings, password: str, *events: Any, window_passed: bool = False
) -> None:
    """Publish events and have them handled."""

    async def run() -> None:
        async with connected(messaging("observer")) as observer:
            await made(observer)
            for each in events:
                headers = {**each.headers, "Nats-Msg-Id": ""} if window_passed else dict(each.headers)
                await observer.jetstream().publish(each.subject, each.body, headers=headers)
            pool = connections.create_pool(settings, password, size=2)
            async with pool, connected(messaging("notification")) as its, running(create_consumer(its, pool)):
                await settled(observer, "notification")

    asyncio.run(run())


def test_an_event_is_an_entry_of_its_timeline(
    messaging: Connections, settings: WorkerSettings, postgres: Server, database: psycopg.Connection
) -> None:
    one, two = instance(database), instance(database, "borealis")
    told: dict[str, Any] = {"actor": "alice", "instance": {"gpu_count": 4, "gpu_type": "H100"}}
    events = [
        event(one, **told),
        event(two, **told),
        event(one, "instance.started", message="  It\nruns. ", node="n1"),
        event(one, "instance.gpu_lost", actor=7),
        event(one, "instance.stopping", **told),
        event(one, "instance.starting", **told),
        event(one, "instance.resizing", actor="alice", instance={**told["instance"], "wanted_gpu_count": 8}),
        event(one, "instance.resized", **told),
        event(one, "instance.deleted", **told),
    ]
    consume(messaging, settings, postgres.password, *events)
    of_one = [
        row for row in entries(database, "event_id, project, actor, sentence, details, time") if row[1] == "atlas"
    ]
    assert [(row[0], row[2], row[3]) for row in of_one] == [
        (events[0].id, "alice", "Requested with 4 × H100."),
        (events[2].id, "", "It runs."),
        (events[3].id, "", "Gpu lost."),
        (events[4].id, "alice", "Being stopped: its GPUs are given back."),
        (events[5].id, "alice", "Being started: its GPUs are being prepared."),
        (events[6].id, "alice", "Being resized to 8 × H100."),
        (events[7].id, "alice", "Resized: it is started with 4 × H100 from now on."),
        (events[8].id, "alice", "Deleted."),
    ]
    assert [row[4] for row in of_one][:3] == [{"instance": told["instance"]}, {"node": "n1"}, {}]
    assert of_one[0][5] == events[0].time
    positions = [row[0] for row in entries(database)]
    assert positions == list(range(positions[0], positions[0] + 9))


def test_an_event_that_comes_again_is_no_entry(
    messaging: Connections, settings: WorkerSettings, postgres: Server, database: psycopg.Connection
) -> None:
    it = event(instance(database))
    consume(messaging, settings, postgres.password, it)
    consume(messaging, settings, postgres.password, it, it, window_passed=True)
    assert len(entries(database)) == 1


def test_an_event_of_no_instance_is_a_dead_letter(
    messaging: Connections, settings: WorkerSettings, postgres: Server, database: psycopg.Connection
) -> None:
    consume(messaging, settings, postgres.password, event(uuid.uuid4()))
    assert database.execute("SELECT count(*) FROM processed_events").fetchone() == (0,)

    async def letters() -> list[Any]:
        async with connected(messaging("observer")) as observer:
            return await stored(observer, "deadletters")

    [letter] = asyncio.run(letters())
    assert letter.headers["Gpuaas-Reason"] == "unknown_instance"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"message": "x" * 400}, "x" * 300),
        ({"message": ["a"]}, "Requested."),
        ({"instance": "none"}, "Requested."),
        ({"message": "   "}, "Requested."),
    ],
)
def test_a_sentence_is_one_of_bounded_length(data: dict[str, Any], said: str) -> None:
    assert sentence(event(uuid.uuid4(), **data)) == said


def test_positions_are_in_the_order_of_commits(
    database: psycopg.Connection, superuser: psycopg.Connection, postgres: Server, settings: WorkerSettings
) -> None:
    """Whoever comes second waits for the first, so that no reader sees a position before a smaller one."""
    one, two = instance(database), instance(database)

    async def run() -> None:
        async with connections.create_pool(settings, postgres.password, size=2) as pool:
            second_waits = asyncio.Event()

            async def second() -> None:
                async with pool.connection() as connection:
                    second_waits.set()
                    await timeline.record(connection, event(two))

            async with pool.connection() as connection:
                await timeline.record(connection, event(one))
                later = asyncio.create_task(second())
                await second_waits.wait()
                wait = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                await asyncio.to_thread(wait_for, lambda: superuser.execute(wait).fetchone() == (1,), "the second")
                assert entries(database) == []
            await later

    asyncio.run(run())
    assert [row[1] for row in entries(database)] == [one, two]


@pytest.fixture
def start(notifying: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start ``gpuaas notification``; with ``patch`` something of it is replaced first."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str, patch: str = "", **kwargs: Any) -> subprocess.Popen[bytes]:
        program = f"{patch}\nimport sys\nfrom gpuaas.cli import main\nsys.exit(main(sys.argv[1:]))"
        processes.append(
            subprocess.Popen(
                [sys.executable, "-c", program, "notification", *arguments],
                env={"PYTHONPATH": str(SOURCE), "PATH": os.environ["PATH"], **notifying},
                **{"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **kwargs},
            )
        )
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait(30)


def readiness(environment: dict[str, str]) -> dict[str, Any]:
    try:
        url = f"http://127.0.0.1:{environment['GPUAAS_PROBE_PORT']}/healthz/ready"
        return dict(httpx.get(url, trust_env=False).json())
    except httpx.TransportError:
        return {}


def with_observer(messaging: Connections, does: Callable[[Messaging], Any]) -> Any:
    async def run() -> Any:
        async with connected(messaging("observer")) as observer:
            return await does(observer)

    return asyncio.run(run())


def test_a_process_killed_between_effect_and_acknowledgement_has_one_effect(
    messaging: Connections, start: Callable[..., subprocess.Popen[bytes]], database: psycopg.Connection
) -> None:
    one, other = instance(database), instance(database)
    with_observer(messaging, made)
    dies = (
        "import os, signal\nfrom nats.aio.msg import Msg\n"
        "async def dies(self):\n    os.kill(os.getpid(), signal.SIGKILL)\nMsg.ack = dies\n"
    )
    first = start(patch=dies)
    with_observer(messaging, lambda observer: publish(observer, event(one)))
    assert first.wait(60) == -signal.SIGKILL
    assert len(entries(database)) == 1
    with_observer(messaging, lambda observer: publish(observer, event(one, "instance.deleted"), event(other)))
    start()
    with_observer(messaging, lambda observer: settled(observer, "notification"))
    assert sorted(row[1:] for row in entries(database)) == sorted(
        [(one, "instance.requested"), (one, "instance.deleted"), (other, "instance.requested")]
    )
    assert [row[2] for row in entries(database) if row[1] == one] == ["instance.requested", "instance.deleted"]


def test_the_process_waits_for_what_it_needs_says_so_and_goes_on(
    messaging: Connections,
    notifying: dict[str, str],
    start: Callable[..., subprocess.Popen[bytes]],
    database: psycopg.Connection,
    superuser: psycopg.Connection,
    server: Nats,
) -> None:
    process = start()
    wait_for(lambda: "stream not found" in readiness(notifying).get("missing", {}).get("events", ""), "the fault")
    with_observer(messaging, made)
    wait_for(lambda: readiness(notifying) == {"status": "ready"}, "the worker")
    superuser.execute("REVOKE INSERT ON timeline FROM gpuaas_notification")
    one = instance(database)
    with_observer(messaging, lambda observer: publish(observer, event(one)))
    # Not the event's fault, for however long.
    wait_for(lambda: "InsufficientPrivilege" in readiness(notifying).get("missing", {}).get("events", ""), "the fault")
    with_observer(messaging, lambda observer: held(observer, "notification", 1))
    superuser.execute("GRANT INSERT ON timeline TO gpuaas_notification")
    wait_for(lambda: len(entries(database)) == 1, "the entry")
    server.kill()
    wait_for(lambda: "nats" in readiness(notifying).get("missing", {}), "the worker to miss NATS")
    server.start()
    wait_for(lambda: readiness(notifying) == {"status": "ready"}, "the worker")
    process.send_signal(signal.SIGTERM)
    assert process.wait(15) == 0


def test_a_new_stream_that_is_filled_again_adds_nothing(
    messaging: Connections, start: Callable[..., subprocess.Popen[bytes]], database: psycopg.Connection
) -> None:
    events = [event(instance(database)) for _n in range(5)]
    with_observer(messaging, made)
    start()
    with_observer(messaging, lambda observer: publish(observer, *events[:4]))
    wait_for(lambda: len(entries(database)) == 4, "the entries")
    with_observer(messaging, forget)
    with_observer(messaging, lambda observer: publish(observer, *events))
    wait_for(lambda: len(entries(database)) == 5, "the entry")
    with_observer(messaging, lambda observer: settled(observer, "notification"))
    assert len(entries(database)) == 5


def test_status_says_how_far_it_is(
    messaging: Connections,
    notifying: dict[str, str],
    start: Callable[..., subprocess.Popen[bytes]],
    database: psycopg.Connection,
) -> None:
    def status() -> tuple[int, dict[str, Any]]:
        process = start("--status", stdout=subprocess.PIPE)
        said, _none = process.communicate(timeout=30)
        return process.returncode, json.loads(said.splitlines()[-1])

    with_observer(messaging, made)
    assert status() == (1, {"waiting": None, "held": None, "consumer_differs": ["notification"]})
    worker = start()
    with_observer(messaging, lambda observer: settled(observer, "notification"))
    worker.kill()
    worker.wait(30)
    one = instance(database)
    with_observer(messaging, lambda observer: publish(observer, event(one)))
    assert status() == (0, {"waiting": 1, "held": 0, "consumer_differs": []})
