"""Dead letters are looked at and replayed: to whom gave them up, with one effect."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from gpuaas import database as connections
from gpuaas import deadletters
from gpuaas.messaging import consumer as consumers_module
from gpuaas.messaging import consumers
from gpuaas.messaging.connection import Messaging
from gpuaas.messaging.consumer import Delivery
from gpuaas.messaging.poison import Poison
from gpuaas.notification.process import create_consumer
from gpuaas.settings import WorkerSettings, read_settings
from support.processes import Server
from support.streaming import connected, consuming, event, made, publish, running, settled, stored

type Connections = Callable[[str], Messaging]


@pytest.fixture
def settings(worker_environment: Callable[[str], dict[str, str]]) -> WorkerSettings:
    return read_settings(WorkerSettings, worker_environment("outbox-relay"))


@pytest.fixture
def letters(settings: WorkerSettings, capsys: pytest.CaptureFixture[str]) -> Callable[..., list[dict[str, Any]]]:
    """Run the command; returns what it printed."""

    def run(replay: str | None = None, status: int = 0) -> list[dict[str, Any]]:
        capsys.readouterr()
        assert deadletters.run(settings, replay) == status
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


def test_a_replay_reaches_only_who_gave_it_up(
    messaging: Connections, letters: Callable[..., list[dict[str, Any]]]
) -> None:
    instances = [uuid.uuid4() for _n in range(3)]
    mended = False
    handled: dict[str, list[uuid.UUID]] = {"notification": [], "provisioning": []}

    def handler(name: str) -> Callable[[Delivery], Any]:
        async def handle(delivery: Delivery) -> None:
            if name == "notification" and not mended:
                raise Poison("not_yet")
            handled[name].append(delivery.event.instance_id)

        return handle

    async def both() -> None:
        async with connected(messaging("observer")) as observer:
            await made(observer)
            async with (
                consuming(messaging("notification"), "notification", ("instances.>",), handler("notification")),
                consuming(messaging("provisioning"), "provisioning", ("instances.>",), handler("provisioning")),
            ):
                if not mended:
                    await publish(observer, *(event(instance) for instance in instances))
                await settled(observer, "notification")
                await settled(observer, "provisioning")

    asyncio.run(both())
    listed = letters()
    assert [letter["instance"] for letter in listed] == [str(instance) for instance in instances]
    assert {(letter["consumer"], letter["reason"], letter["replayed"]) for letter in listed} == {
        ("notification", "not_yet", False)
    }
    mended = True
    second = listed[1]["id"]
    assert [letter["instance"] for letter in letters(str(second))] == [str(instances[1])]
    asyncio.run(both())
    assert handled == {"notification": [instances[1]], "provisioning": instances}
    assert letters(str(second), status=1) == [{"error": f"there is no dead letter {second}"}]
    assert len(letters("all")) == 2
    assert letters() == []
    asyncio.run(both())
    assert sorted(handled["notification"]) == sorted(instances)
    assert handled["provisioning"] == instances


def test_what_is_replayed_in_vain_is_another_letter(
    messaging: Connections, letters: Callable[..., list[dict[str, Any]]]
) -> None:
    async def never(_delivery: Delivery) -> None:
        raise Poison("never")

    async def consume(first: bool) -> None:
        async with connected(messaging("observer")) as observer:
            await made(observer)
            if first:
                await publish(observer, event(uuid.uuid4()))
            async with consuming(messaging("notification"), "notification", ("instances.>",), never):
                await settled(observer, "notification")

    asyncio.run(consume(True))
    [before] = letters("all")
    asyncio.run(consume(False))
    [after] = letters()
    assert (after["event"], after["instance"]) == (before["event"], before["instance"])
    assert after["id"] > before["id"]
    assert after["subject"] == f"replays.notification.{before['instance']}"


def test_a_letter_of_a_consumer_that_is_gone_stays(
    messaging: Connections, letters: Callable[..., list[dict[str, Any]]]
) -> None:
    async def never(_delivery: Delivery) -> None:
        raise Poison("never")

    async def consume() -> None:
        async with connected(messaging("observer")) as observer:
            await made(observer)
            await publish(observer, event(uuid.uuid4()))
            async with consuming(messaging("notification"), "notification", ("instances.>",), never):
                await settled(observer, "notification")
            await observer.jetstream().delete_consumer(consumers.STREAM, "notification")

    asyncio.run(consume())
    assert "consumer not found" in letters("all", status=1)[0]["error"]
    assert len(letters()) == 1


def test_a_replay_has_one_effect(
    messaging: Connections,
    letters: Callable[..., list[dict[str, Any]]],
    settings: WorkerSettings,
    postgres: Server,
    database: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where the event was handled meanwhile, or the letter is there twice."""
    monkeypatch.setattr(consumers_module, "MAX_DELIVERIES", 0)
    one = uuid.uuid4()
    database.execute(
        "INSERT INTO instances (id, project, name, gpu_type, gpu_count, state, created_by, created_at)"
        " VALUES (%s, 'atlas', 'one', 'H100', 1, 'requested', 'alice', now())",
        [one],
    )
    it = event(one, actor="alice")

    async def consume(*events: Any) -> None:
        async with connected(messaging("observer")) as observer:
            await made(observer)
            for each in events:
                await observer.jetstream().publish(each.subject, each.body, headers={**each.headers, "Nats-Msg-Id": ""})
            pool = connections.create_pool(settings, postgres.password, size=2)
            async with pool, connected(messaging("notification")) as its, running(create_consumer(its, pool)):
                await settled(observer, "notification")
            assert len(await stored(observer, "deadletters")) == (2 if events else 0)

    asyncio.run(consume(it, it))
    monkeypatch.setattr(consumers_module, "MAX_DELIVERIES", 10)
    assert [letter["reason"] for letter in letters("all")] == ["delivered_too_often"] * 2
    asyncio.run(consume())
    assert database.execute("SELECT event_id, project, actor FROM timeline").fetchall() == [(it.id, "atlas", "alice")]


def test_without_a_stream_there_are_none(messaging: Connections, letters: Callable[..., list[dict[str, Any]]]) -> None:
    assert letters() == []
    assert letters("all") == []
