"""The outbox relay against a real Postgres and a real NATS, with the permissions that the platform grants."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import nats.errors
import nats.js.errors
import psycopg
import pytest
from nats.js.api import DiscardPolicy, RawStreamMsg
from psycopg import AsyncConnection

from gpuaas import database as databases
from gpuaas.messaging import streams
from gpuaas.messaging.connection import Messaging
from gpuaas.relay import outbox
from gpuaas.relay.relay import Relay
from gpuaas.settings import ConfigurationError, WorkerSettings, read_settings
from gpuaas.worker import Worker, run
from support import streaming
from support.nats import Nats
from support.ports import free_port
from support.processes import Server, wait_for
from support.streaming import connected, forget
from support.tls import Authority

SOURCE = Path(__file__).parents[1] / "src"


@pytest.fixture
def relaying(worker_environment: Callable[[str], dict[str, str]], database: psycopg.Connection) -> dict[str, str]:
    """The environment of a relay whose database is there."""
    return {**worker_environment("outbox-relay"), "GPUAAS_DATABASE_USER": "gpuaas_relay"}


@pytest.fixture
def settings(relaying: dict[str, str]) -> WorkerSettings:
    return read_settings(WorkerSettings, relaying)


@pytest.fixture
def observer(messaging: Callable[[str], Messaging]) -> Messaging:
    """Who may do everything, to look at what the relay did."""
    return messaging("observer")


@asynccontextmanager
async def relay_of(settings: WorkerSettings, password: str) -> AsyncIterator[Relay]:
    """A relay that is connected and does nothing by itself."""
    messaging = Messaging(settings, "outbox-relay")
    pool = databases.create_pool(settings, password, size=1)
    await messaging.opened(10)
    try:
        async with pool:
            yield Relay(pool, messaging)
    finally:
        await messaging.close()


def instance(database: psycopg.Connection) -> uuid.UUID:
    identity = uuid.uuid4()
    database.execute(
        "INSERT INTO instances (id, project, name, gpu_type, gpu_count, state, created_by, created_at)"
        " VALUES (%s, 'atlas', 'one', 'H100', 1, 'requested', 'alice', now())",
        [identity],
    )
    return identity


def write(connection: psycopg.Connection, identity: uuid.UUID, event: str = "instance.requested", **data: Any) -> int:
    row = connection.execute(
        "INSERT INTO outbox (event_type, instance_id, payload) VALUES (%s, %s, %s) RETURNING id",
        [event, identity, json.dumps(data)],
    ).fetchone()
    assert row is not None
    return int(row[0])


def waiting(database: psycopg.Connection) -> int:
    row = database.execute("SELECT count(*) FROM outbox WHERE published_at IS NULL").fetchone()
    assert row is not None
    return int(row[0])


def stored(observer: Messaging) -> list[RawStreamMsg]:
    """Every message of the stream, in order."""

    async def read() -> list[RawStreamMsg]:
        async with connected(observer) as its:
            return await streaming.stored(its, "instances")

    return asyncio.run(read())


def rounds(settings: WorkerSettings, password: str, count: int = 1) -> list[int]:
    """What rounds of a relay published."""

    async def relay() -> list[int]:
        async with relay_of(settings, password) as its:
            return [await its.once() for _round in range(count)]

    return asyncio.run(relay())


def test_an_event_is_published_once_as_a_cloudevent(
    settings: WorkerSettings, postgres: Server, database: psycopg.Connection, observer: Messaging
) -> None:
    one = instance(database)
    write(database, one, actor="alice")
    assert rounds(settings, postgres.password, 2) == [1, 0]
    assert waiting(database) == 0
    [message] = stored(observer)
    row = database.execute("SELECT event_id, created_at FROM outbox").fetchone()
    assert row is not None
    assert message.subject == f"instances.{one}.requested"
    assert json.loads(message.data or b"") == {"actor": "alice"}
    assert message.headers == {
        "Nats-Msg-Id": str(row[0]),
        "Nats-Expected-Stream": "instances",
        "Content-Type": "application/json",
        "ce-specversion": "1.0",
        "ce-id": str(row[0]),
        "ce-source": "/gpuaas/api",
        "ce-type": "gpuaas.instance.requested.v1",
        "ce-subject": str(one),
        "ce-time": row[1].isoformat(),
    }


def test_the_events_of_an_instance_keep_their_order(
    settings: WorkerSettings, postgres: Server, database: psycopg.Connection, observer: Messaging
) -> None:
    one, two = instance(database), instance(database)
    for identity, event in ((one, "requested"), (one, "deleted"), (two, "requested"), (two, "deleted")):
        write(database, identity, f"instance.{event}")

    async def two_relays() -> list[int]:
        async with relay_of(settings, postgres.password) as a, relay_of(settings, postgres.password) as b:
            return [sum(await asyncio.gather(a.once(), b.once())) for _round in range(4)]

    assert sum(asyncio.run(two_relays())) == 4
    subjects = [message.subject for message in stored(observer)]
    for identity in (one, two):
        its = [subject for subject in subjects if str(identity) in str(subject)]
        assert its == [f"instances.{identity}.requested", f"instances.{identity}.deleted"]


def test_a_row_that_commits_late_is_not_passed_over(
    settings: WorkerSettings, postgres: Server, database: psycopg.Connection, observer: Messaging
) -> None:
    early, late = instance(database), instance(database)
    with psycopg.connect(database.info.dsn, password=postgres.password) as other:
        first = write(other, late)
        second = write(database, early)
        assert first < second
        assert rounds(settings, postgres.password) == [1]
    assert rounds(settings, postgres.password) == [1]
    assert [message.subject for message in stored(observer)] == [
        f"instances.{early}.requested",
        f"instances.{late}.requested",
    ]


def test_a_relay_that_dies_after_the_acknowledgement_publishes_nothing_twice(
    settings: WorkerSettings,
    postgres: Server,
    database: psycopg.Connection,
    observer: Messaging,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write(database, instance(database))

    async def dies(_connection: AsyncConnection[Any], ids: list[int]) -> None:
        assert len(ids) == 1
        raise psycopg.OperationalError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(outbox, "published", dies)
        with pytest.raises(psycopg.OperationalError, match="killed"):
            rounds(settings, postgres.password)
    assert waiting(database) == 1
    assert rounds(settings, postgres.password) == [1]
    assert waiting(database) == 0
    assert len(stored(observer)) == 1


def test_what_is_refused_stays_and_holds_up_nobody_else(
    settings: WorkerSettings, postgres: Server, database: psycopg.Connection, observer: Messaging
) -> None:
    big, small = instance(database), instance(database)
    write(database, big, text="x" * 300_000)
    write(database, small)

    with pytest.raises(nats.errors.Error):
        rounds(settings, postgres.password)
    assert waiting(database) == 1
    assert [message.subject for message in stored(observer)] == [f"instances.{small}.requested"]


def test_an_acknowledged_event_survives_a_power_cut_of_the_server(
    settings: WorkerSettings, postgres: Server, database: psycopg.Connection, observer: Messaging, server: Nats
) -> None:
    for _event in range(20):
        write(database, instance(database))
    assert rounds(settings, postgres.password) == [20]
    server.kill()
    server.start()
    assert len(stored(observer)) == 20


def test_a_stream_that_was_changed_is_what_it_should_be_again(
    settings: WorkerSettings, postgres: Server, database: psycopg.Connection, observer: Messaging
) -> None:
    write(database, instance(database))
    rounds(settings, postgres.password)

    async def change() -> tuple[list[str], list[str], list[str]]:
        await observer.opened(10)
        try:
            jetstream = observer.jetstream()
            await jetstream.update_stream(
                dataclasses.replace(streams.INSTANCES, discard=DiscardPolicy.OLD, max_bytes=1_000_000)
            )
            found = await streams.differences(jetstream)
            healed = await streams.reconcile(jetstream)
            return found, healed, await streams.differences(jetstream)
        finally:
            await observer.close()

    changed = ["instances.discard", "instances.max_bytes"]
    assert asyncio.run(change()) == (changed, changed, [])
    assert len(stored(observer)) == 1


def test_a_client_may_do_what_its_certificate_allows_and_no_more(
    settings: WorkerSettings, authority: Authority, tmp_path: Path, postgres: Server, database: psycopg.Connection
) -> None:
    rounds(settings, postgres.password)

    async def attempts(messaging: Messaging) -> None:
        await messaging.opened(3)
        try:
            jetstream = messaging.jetstream()
            with pytest.raises(nats.errors.Error):
                await jetstream.delete_stream("instances")
            with pytest.raises(nats.errors.Error):
                await jetstream.publish("elsewhere", b"", timeout=1)
        finally:
            await messaging.close()

    asyncio.run(attempts(Messaging(settings, "outbox-relay")))
    stranger = dataclasses.replace(settings, nats_certificate=authority.issue("stranger", tmp_path / "stranger"))
    with pytest.raises(TimeoutError, match="NATS is not reachable"):
        asyncio.run(attempts(Messaging(stranger, "stranger")))


def test_a_certificate_that_cannot_be_read_is_named(settings: WorkerSettings, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="GPUAAS_NATS_CERTIFICATE is not a directory with"):
        Messaging(dataclasses.replace(settings, nats_certificate=tmp_path), "outbox-relay")


@pytest.fixture
def process(relaying: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """``gpuaas relay``, with its log in a file."""
    with (tmp_path / "log").open("wb") as log, start(relaying, "relay", stdout=log) as process:
        yield process
        process.kill()


def start(environment: dict[str, str], *arguments: str, stdout: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "gpuaas", *arguments],
        env={"PYTHONPATH": str(SOURCE), "PATH": os.environ["PATH"], **environment},
        stdout=stdout,
        stderr=subprocess.STDOUT,
    )


def readiness(environment: dict[str, str]) -> dict[str, Any]:
    try:
        url = f"http://127.0.0.1:{environment['GPUAAS_PROBE_PORT']}/healthz/ready"
        return dict(httpx.get(url, trust_env=False).json())
    except httpx.TransportError:
        return {}


def is_ready(environment: dict[str, str]) -> bool:
    return readiness(environment) == {"status": "ready"}


def test_the_process_waits_for_nats_says_so_and_goes_on(
    relaying: dict[str, str],
    process: subprocess.Popen[bytes],
    database: psycopg.Connection,
    server: Nats,
    tmp_path: Path,
) -> None:
    wait_for(lambda: is_ready(relaying), "the relay")
    server.kill()
    write(database, instance(database))
    wait_for(lambda: "nats" in readiness(relaying).get("missing", {}), "the relay to miss NATS")
    assert waiting(database) == 1
    server.start()
    wait_for(lambda: waiting(database) == 0, "the event")
    wait_for(lambda: is_ready(relaying), "the relay")
    process.send_signal(signal.SIGTERM)
    assert process.wait(15) == 0
    log = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert log[-1]["message"] == "stopped"
    assert {"connected to NATS", "connected to NATS again"} <= {entry["message"] for entry in log}


def test_the_process_starts_before_what_it_needs(
    relaying: dict[str, str], process: subprocess.Popen[bytes], server: Nats
) -> None:
    server.kill()
    wait_for(lambda: "nats" in readiness(relaying).get("missing", {}), "the relay")
    server.start()
    wait_for(lambda: is_ready(relaying), "the relay")


def test_status_says_whether_events_flow(
    relaying: dict[str, str], settings: WorkerSettings, postgres: Server, database: psycopg.Connection, server: Nats
) -> None:
    def status(**changes: str) -> tuple[int, dict[str, Any]]:
        process = start({**relaying, **changes}, "relay", "--status", stdout=subprocess.PIPE)
        said, _none = process.communicate(timeout=30)
        return process.returncode, json.loads(said.splitlines()[-1])

    code, said = status()
    assert (code, said["streams_differ"]) == (1, ["instances", "deadletters"])
    write(database, instance(database))
    rounds(settings, postgres.password)
    assert status() == (
        0,
        {"waiting": 0, "oldest_seconds": 0.0, "streams": {"instances": 1, "deadletters": 0}, "streams_differ": []},
    )
    write(database, instance(database))
    database.execute("UPDATE outbox SET created_at = now() - interval '1 minute' WHERE published_at IS NULL")
    code, said = status()
    assert (code, said["waiting"]) == (1, 1)
    code, said = status(GPUAAS_NATS_PORT=str(free_port()))
    assert code == 1
    assert said["error"].startswith("TimeoutError: NATS is not reachable")


def test_a_defect_ends_the_process() -> None:
    async def broken() -> None:
        raise AssertionError("a defect")

    worker = Worker(work=broken, checks={}, probe_port=free_port(), log_level="info")
    assert run(worker) == 1


def numbers(database: psycopg.Connection) -> list[str]:
    return [str(row[0]) for row in database.execute("SELECT event_id FROM outbox ORDER BY id")]


def test_a_wiped_stream_is_rebuilt_by_one_command_beside_the_relay(
    relaying: dict[str, str], process: subprocess.Popen[bytes], database: psycopg.Connection, observer: Messaging
) -> None:
    instances = [instance(database) for _n in range(3)]
    for what in ("requested", "started", "deleted"):
        for identity in instances:
            write(database, identity, f"instance.{what}")
    wait_for(lambda: waiting(database) == 0, "the events")

    async def wipe() -> None:
        async with connected(observer) as its:
            await forget(its)

    asyncio.run(wipe())
    rebuilding = start(relaying, "relay", "--rebuild", stdout=subprocess.PIPE)
    write(database, instance(database))
    said, _none = rebuilding.communicate(timeout=60)
    assert rebuilding.returncode == 0
    printed = json.loads(said.splitlines()[-1])
    assert printed["published_again"] in (9, 10)
    wait_for(lambda: waiting(database) == 0, "the events")
    messages = stored(observer)
    assert {(message.headers or {})["ce-id"] for message in messages} == set(numbers(database))
    for identity in instances:
        its = [message.subject for message in messages if str(identity) in str(message.subject)]
        assert its == [f"instances.{identity}.{what}" for what in ("requested", "started", "deleted")]


def test_what_is_published_again_is_sent_also_where_the_server_still_knows_the_first_time(
    settings: WorkerSettings,
    postgres: Server,
    database: psycopg.Connection,
    relaying: dict[str, str],
    observer: Messaging,
) -> None:
    write(database, instance(database))
    assert rounds(settings, postgres.password) == [1]
    for _again in range(2):
        rebuilding = start(relaying, "relay", "--rebuild", stdout=subprocess.PIPE)
        said, _none = rebuilding.communicate(timeout=60)
        assert rebuilding.returncode == 0, said
    assert [(message.headers or {})["ce-id"] for message in stored(observer)] == numbers(database) * 3


def test_a_stream_that_is_gone_is_filled_again_by_the_relay_itself(
    settings: WorkerSettings, postgres: Server, database: psycopg.Connection, observer: Messaging
) -> None:
    one = instance(database)
    write(database, one)
    assert rounds(settings, postgres.password) == [1]

    async def wipe() -> None:
        async with connected(observer) as its:
            await its.jetstream().delete_stream("instances")

    asyncio.run(wipe())
    write(database, one, "instance.deleted")
    # What is new does not come before what is old.
    assert rounds(settings, postgres.password, 3) == [1, 1, 0]
    assert [message.subject for message in stored(observer)] == [
        f"instances.{one}.requested",
        f"instances.{one}.deleted",
    ]


def test_a_stream_that_goes_while_nothing_happens_is_missed(
    relaying: dict[str, str],
    process: subprocess.Popen[bytes],
    database: psycopg.Connection,
    observer: Messaging,
) -> None:
    write(database, instance(database))
    wait_for(lambda: waiting(database) == 0, "the event")

    async def wipe() -> int:
        async with connected(observer) as its:
            await its.jetstream().delete_stream("instances")
            async with asyncio.timeout(30):
                while True:
                    with contextlib.suppress(nats.js.errors.NotFoundError):
                        if found := (await its.jetstream().stream_info("instances")).state.messages:
                            return found
                    await asyncio.sleep(0.05)

    assert asyncio.run(wipe()) == 1


def test_no_relay_has_rows_while_everything_is_to_be_published_again(
    settings: WorkerSettings, postgres: Server, database: psycopg.Connection
) -> None:
    write(database, instance(database))
    with database.transaction():
        database.execute("SELECT pg_advisory_xact_lock(%s)", [outbox.LOCK])

        async def attempt() -> None:
            async with relay_of(settings, postgres.password) as its:
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(1):
                        await its.once()

        asyncio.run(attempt())


def test_a_full_stream_refuses_and_everything_waits_in_the_outbox_until_there_is_room(
    settings: WorkerSettings,
    postgres: Server,
    database: psycopg.Connection,
    observer: Messaging,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small = dataclasses.replace(streams.INSTANCES, max_bytes=4_000)
    with monkeypatch.context() as patched:
        patched.setattr(streams, "STREAMS", (small, streams.DEADLETTERS))
        written = [write(database, instance(database), text="x" * 500) for _event in range(20)]
        with pytest.raises(nats.js.errors.APIError, match="maximum bytes exceeded"):
            rounds(settings, postgres.password)
        kept = len(stored(observer))
        assert 0 < kept < len(written)
        assert waiting(database) == len(written) - kept
        with pytest.raises(nats.js.errors.APIError, match="maximum bytes exceeded"):
            rounds(settings, postgres.password)
        assert len(stored(observer)) == kept
    assert rounds(settings, postgres.password) == [len(written) - kept]
    assert waiting(database) == 0
    assert {str((message.headers or {})["ce-id"]) for message in stored(observer)} == set(numbers(database))


def test_a_relay_killed_between_the_acknowledgement_and_its_mark_publishes_it_again_under_its_id(
    relaying: dict[str, str], database: psycopg.Connection, observer: Messaging
) -> None:
    write(database, instance(database))
    dies = (
        "import os, signal, sys\nfrom gpuaas.relay import outbox\n"
        "async def dies(connection, ids):\n    os.kill(os.getpid(), signal.SIGKILL)\noutbox.published = dies\n"
        "from gpuaas.cli import main\nsys.exit(main(sys.argv[1:]))"
    )
    environment = {"PYTHONPATH": str(SOURCE), "PATH": os.environ["PATH"], **relaying}
    killed = subprocess.Popen([sys.executable, "-c", dies, "relay"], env=environment, stdout=subprocess.DEVNULL)
    assert killed.wait(60) == -signal.SIGKILL
    assert (len(stored(observer)), waiting(database)) == (1, 1)
    with start(relaying, "relay", stdout=subprocess.DEVNULL) as successor:
        wait_for(lambda: waiting(database) == 0, "the event")
        successor.kill()
    assert len(stored(observer)) == 1
