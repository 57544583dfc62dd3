"""Consumers against a real NATS, with the permissions that the platform grants them."""

from __future__ import annotations

import asyncio
import dataclasses
import uuid
from collections.abc import Callable

import psycopg
import pytest

from gpuaas.messaging import consumer as consumers_module
from gpuaas.messaging import consumers, streams
from gpuaas.messaging.connection import Messaging
from gpuaas.messaging.consumer import Consumer, Delivery
from gpuaas.messaging.decoding import MAX_BODY_BYTES
from gpuaas.messaging.poison import Poison, Unavailable
from support.nats import Nats
from support.streaming import (
    BODY,
    connected,
    consuming,
    event,
    held,
    made,
    publish,
    raw,
    settled,
    stored,
    until,
)

ALL = ("instances.>",)
type Connections = Callable[[str], Messaging]


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers_module, "DELAYS_SECONDS", (0.05, 0.05, 0.05, 0.05))


class Seen:
    """What a handler was given, and what it does about it."""

    def __init__(self, act: Callable[[Delivery], None] = lambda _delivery: None) -> None:
        self.act = act
        self.tried: list[Delivery] = []
        self.done: list[tuple[uuid.UUID, str]] = []

    async def __call__(self, delivery: Delivery) -> None:
        self.tried.append(delivery)
        self.act(delivery)
        self.done.append((delivery.event.instance_id, delivery.event.type))


def test_events_are_handled_in_order_with_the_rights_of_the_consumer(messaging: Connections) -> None:
    one, two, seen = uuid.uuid4(), uuid.uuid4(), Seen()
    events = [event(i, f"instance.{what}", n=1) for what in ("requested", "started", "deleted") for i in (one, two)]

    async def run() -> None:
        async with connected(messaging("observer")) as observer:
            await made(observer)
            await publish(observer, *events)
            async with consuming(messaging("notification"), "notification", ALL, seen) as consumer:
                await until(lambda: len(seen.done) == 6, "the events")
                await settled(observer, "notification")
                await until(lambda: consumer.fault() is None, "its readiness")

    asyncio.run(run())
    for instance in (one, two):
        kinds = [kind for each, kind in seen.done if each == instance]
        assert kinds == ["instance.requested", "instance.started", "instance.deleted"]
    assert {delivery.attempt for delivery in seen.tried} == {1}
    assert sorted(delivery.sequence for delivery in seen.tried) == [1, 2, 3, 4, 5, 6]
    assert {(d.event.id, d.event.time) for d in seen.tried} == {(e.id, e.time) for e in events}


def test_what_is_tried_again_stays_before_what_came_later_and_holds_up_nobody_else(messaging: Connections) -> None:
    one, two = uuid.uuid4(), uuid.uuid4()
    mended = False

    def act(delivery: Delivery) -> None:
        if delivery.event.instance_id == one and delivery.event.type == "instance.requested" and not mended:
            raise Unavailable("the fleet does not answer")

    seen = Seen(act)

    async def run() -> None:
        nonlocal mended
        async with connected(messaging("observer")) as observer:
            await made(observer)
            await publish(
                observer, event(one), event(one, "instance.deleted"), event(two), event(two, "instance.deleted")
            )
            async with consuming(messaging("notification"), "notification", ALL, seen) as consumer:
                # For longer than attempts are counted: it is not to blame.
                await until(lambda: len(seen.tried) > consumers_module.MAX_ATTEMPTS + 3, "attempts")
                assert [instance for instance, _kind in seen.done] == [two, two]
                assert consumer.fault() == "Unavailable: the fleet does not answer"
                mended = True
                await until(lambda: len(seen.done) == 4, "the others")
                await settled(observer, "notification")
                assert consumer.fault() is None

    asyncio.run(run())
    assert [kind for instance, kind in seen.done if instance == one] == ["instance.requested", "instance.deleted"]


def test_what_fails_too_often_and_poison_are_dead_letters_and_the_next_goes_on(messaging: Connections) -> None:
    fails, poisoned, good = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()

    def act(delivery: Delivery) -> None:
        if delivery.event.type != "instance.requested":
            return
        if delivery.event.instance_id == fails:
            raise KeyError("gpu")
        if delivery.event.instance_id == poisoned:
            raise Poison("no_such_type", "two\nlines, ümlaut")

    seen = Seen(act)

    async def run() -> None:
        async with connected(messaging("observer")) as observer:
            await made(observer)
            for instance in (fails, poisoned, good):
                await publish(observer, event(instance), event(instance, "instance.deleted"))
            async with consuming(messaging("notification"), "notification", ALL, seen):
                await settled(observer, "notification")
            letters = {letter.subject: letter for letter in await stored(observer, "deadletters")}
        assert set(letters) == {f"deadletters.notification.{fails}", f"deadletters.notification.{poisoned}"}
        headers = letters[f"deadletters.notification.{fails}"].headers or {}
        assert headers["Gpuaas-Reason"] == "handler_failed"
        assert headers["Gpuaas-Detail"] == "KeyError: 'gpu'"
        assert headers["Gpuaas-Consumer"] == "notification"
        assert headers["Gpuaas-Subject"] == f"instances.{fails}.requested"
        assert (headers["Gpuaas-Sequence"], headers["Gpuaas-Attempts"]) == ("1", "5")
        assert headers["ce-type"] == "gpuaas.instance.requested.v1"
        headers = letters[f"deadletters.notification.{poisoned}"].headers or {}
        assert (headers["Gpuaas-Reason"], headers["Gpuaas-Attempts"]) == ("no_such_type", "1")
        assert headers["Gpuaas-Detail"] == "two lines, \\xfcmlaut"

    asyncio.run(run())
    assert [kind for instance, kind in seen.done if instance == fails] == ["instance.deleted"]
    assert [kind for instance, kind in seen.done if instance == good] == ["instance.requested", "instance.deleted"]


BAD_INPUT: list[tuple[dict[str, str], bytes, str]] = [
    ({}, b"{", "malformed_json"),
    ({}, b"\xff\xfe", "malformed_json"),
    ({}, b"[]", "malformed_json"),
    ({}, b'{"n": NaN}', "malformed_json"),
    ({}, b'{"n":' + b"[" * 50_000, "malformed_json"),
    ({}, b'{"text": "' + b"x" * MAX_BODY_BYTES + b'"}', "oversized"),
    ({"ce_type": "gpuaas.instance.requested.v2"}, BODY, "unknown_version"),
    ({"ce_specversion": "2.0"}, BODY, "unknown_version"),
    ({"ce_type": "elsewhere.v1"}, BODY, "unknown_type"),
    ({"ce_id": ""}, BODY, "header_missing"),
    ({"ce_specversion": ""}, BODY, "header_missing"),
    ({"ce_id": "7"}, BODY, "header_malformed"),
    ({"ce_subject": "seven"}, BODY, "header_malformed"),
    ({"ce_time": "yesterday"}, BODY, "header_malformed"),
    ({"ce_time": "2026-01-01T00:00:00"}, BODY, "header_malformed"),
]


def test_bad_input_is_a_dead_letter_by_name_and_the_next_goes_on(messaging: Connections) -> None:
    good, seen = uuid.uuid4(), Seen()
    bad = {str(uuid.uuid4()): case for case in BAD_INPUT}

    async def run() -> None:
        async with connected(messaging("observer")) as observer:
            await made(observer)
            for instance, (changes, body, _reason) in bad.items():
                headers = raw(uuid.UUID(instance), **changes)
                await observer.jetstream().publish(f"instances.{instance}.requested", body, headers=headers)
            await publish(observer, event(good))
            async with consuming(messaging("notification"), "notification", ALL, seen):
                await settled(observer, "notification")
            letters = {
                str(letter.subject).rpartition(".")[2]: letter for letter in await stored(observer, "deadletters")
            }
        found = {
            instance: (letter.data, (letter.headers or {})["Gpuaas-Reason"]) for instance, letter in letters.items()
        }
        assert found == {instance: (body, reason) for instance, (_changes, body, reason) in bad.items()}

    asyncio.run(run())
    assert seen.done == [(good, "instance.requested")]


def test_a_message_without_any_header_is_a_dead_letter(messaging: Connections) -> None:
    async def run() -> None:
        async with connected(messaging("observer")) as observer:
            await made(observer)
            await observer.jetstream().publish("instances.what", b"")
            async with consuming(messaging("notification"), "notification", ALL, Seen()):
                await settled(observer, "notification")
            [letter] = await stored(observer, "deadletters")
        assert (letter.subject, (letter.headers or {})["Gpuaas-Reason"]) == (
            "deadletters.notification.what",
            "header_missing",
        )

    asyncio.run(run())


def test_a_message_of_the_largest_size_becomes_a_dead_letter(messaging: Connections) -> None:
    async def run() -> None:
        async with connected(messaging("observer")) as observer:
            await made(observer)
            headers = raw(uuid.uuid4())
            room = streams.MAX_MESSAGE_BYTES - sum(len(name) + len(value) + 4 for name, value in headers.items()) - 12
            await observer.jetstream().publish("instances.big.requested", b"x" * room, headers=headers)
            async with consuming(messaging("notification"), "notification", ALL, Seen()):
                await settled(observer, "notification")
            [letter] = await stored(observer, "deadletters")
        assert len(letter.data or b"") == room

    asyncio.run(run())


def test_what_a_killed_process_held_comes_before_what_is_new(messaging: Connections) -> None:
    """Also where the later event was never delivered: without a wait for the first it would be handled at once."""
    one, seen, never = uuid.uuid4(), Seen(), asyncio.Event()

    async def hangs(_delivery: Delivery) -> None:
        await never.wait()

    async def run() -> None:
        async with connected(messaging("observer")) as observer:
            await made(observer)
            await publish(observer, event(one))
            async with connected(messaging("notification")) as killed:
                running = asyncio.create_task(Consumer(killed, "notification", ALL, hangs).run())
                await held(observer, "notification", 1)
                await killed.close()  # nothing is given back
                running.cancel()
            await publish(observer, event(one, "instance.deleted"), event(uuid.uuid4()))
            async with consuming(messaging("notification"), "notification", ALL, seen):
                await settled(observer, "notification")

    asyncio.run(run())
    assert [kind for instance, kind in seen.done if instance == one] == ["instance.requested", "instance.deleted"]


def test_an_event_that_processes_die_of_is_given_up(messaging: Connections, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers_module, "MAX_DELIVERIES", 2)
    seen = Seen()

    async def run() -> None:
        async with connected(messaging("observer")) as observer:
            await made(observer)
            await publish(observer, event(uuid.uuid4()))
            jetstream = observer.jetstream()
            await consumers.reconcile(jetstream, consumers.config("notification", ALL))
            subscription = await jetstream.pull_subscribe_bind(consumer="notification", stream=consumers.STREAM)
            for _time in range(2):
                [message] = await subscription.fetch(1, timeout=10)
                await message.nak()
            async with consuming(messaging("notification"), "notification", ALL, seen):
                await settled(observer, "notification")
            [letter] = await stored(observer, "deadletters")
        assert (letter.headers or {})["Gpuaas-Reason"] == "delivered_too_often"

    asyncio.run(run())
    assert seen.tried == []


def test_a_server_that_goes_and_comes_back_loses_nothing(messaging: Connections, server: Nats) -> None:
    seen, instances = Seen(), [uuid.uuid4() for _n in range(5)]

    async def run() -> None:
        async with connected(messaging("observer")) as observer:
            await made(observer)
            async with consuming(messaging("notification"), "notification", ALL, seen) as consumer:
                await publish(observer, *(event(instance) for instance in instances))
                await until(lambda: len(seen.done) == 5, "the first events")
                await asyncio.to_thread(server.kill)
                await until(lambda: consumer.fault() is not None, "the fault")
                await asyncio.to_thread(server.start)
                await until(lambda: observer.fault() is None, "the connection")
                await publish(observer, *(event(instance, "instance.deleted") for instance in instances))
                await until(lambda: {(i, "instance.deleted") for i in instances} <= set(seen.done), "the other events")
                await until(lambda: consumer.fault() is None, "its readiness")
                await settled(observer, "notification")

    asyncio.run(run())


def test_a_new_stream_is_consumed_from_its_beginning(messaging: Connections) -> None:
    seen = Seen()

    async def run() -> None:
        async with connected(messaging("observer")) as observer:
            await made(observer)
            async with consuming(messaging("notification"), "notification", ALL, seen) as consumer:
                await publish(observer, event(uuid.uuid4()))
                await until(lambda: len(seen.done) == 1, "the first event")
                await observer.jetstream().delete_stream("instances")
                await until(lambda: "stream not found" in (consumer.fault() or ""), "the fault")
                await made(observer)
                await publish(observer, event(uuid.uuid4()))
                await until(lambda: len(seen.done) == 2, "the second event")
                await until(lambda: consumer.fault() is None, "its readiness")

    asyncio.run(run())
    assert [delivery.sequence for delivery in seen.tried] == [1, 1]


def test_a_consumer_that_was_changed_is_what_it_should_be_again(messaging: Connections) -> None:
    wanted = consumers.config("notification", ALL)

    async def run() -> None:
        async with connected(messaging("observer")) as observer, connected(messaging("notification")) as its:
            await made(observer)
            assert await consumers.reconcile(its.jetstream(), wanted) == ["notification"]
            changed = dataclasses.replace(wanted, ack_wait=60.0)
            await observer.jetstream().add_consumer(consumers.STREAM, changed)
            differ = ["notification.ack_wait"]
            assert await consumers.differences(its.jetstream(), wanted) == differ
            assert await consumers.reconcile(its.jetstream(), wanted) == differ
            assert await consumers.differences(its.jetstream(), wanted) == []

    asyncio.run(run())


def test_a_kind_of_event_that_came_before_its_consumer_knew_it_is_handled(messaging: Connections) -> None:
    """As in an upgrade: the new API writes it while the old worker still consumes, and passes it."""
    old, new, seen = ("instances.*.requested",), ("instances.*.requested", "instances.*.stopping"), Seen()
    instance = uuid.uuid4()

    async def run() -> None:
        async with connected(messaging("observer")) as observer:
            await made(observer)
            async with consuming(messaging("provisioning"), "provisioning", old, seen):
                await publish(observer, event(instance), event(instance, "instance.stopping"), event(uuid.uuid4()))
                await settled(observer, "provisioning")
            async with consuming(messaging("provisioning"), "provisioning", new, seen):
                await until(lambda: (instance, "instance.stopping") in seen.done, "the event of the new kind")
                await settled(observer, "provisioning")

    asyncio.run(run())


def test_a_full_stream_of_dead_letters_keeps_the_message_with_its_consumer(messaging: Connections) -> None:
    def act(_delivery: Delivery) -> None:
        raise Poison("never")

    async def run() -> None:
        async with connected(messaging("observer")) as observer:
            await made(observer)
            jetstream = observer.jetstream()
            await jetstream.update_stream(dataclasses.replace(streams.DEADLETTERS, max_bytes=10))
            await publish(observer, event(uuid.uuid4()))
            async with consuming(messaging("notification"), "notification", ALL, Seen(act)) as consumer:
                await until(lambda: "dead letters: " in (consumer.fault() or ""), "the fault")
                await held(observer, "notification", 1)
                await made(observer)
                await settled(observer, "notification")
                assert len(await stored(observer, "deadletters")) == 1
                assert consumer.fault() is None

    asyncio.run(run())


REFUSED = {
    "notification": [
        "instances.x.requested",
        "replays.provisioning.x",
        "deadletters.provisioning.x",
        "$JS.API.CONSUMER.MSG.NEXT.instances.provisioning",
        "$JS.API.CONSUMER.CREATE.instances.provisioning",
        "$JS.API.CONSUMER.DELETE.instances.provisioning",
        "$JS.API.STREAM.PURGE.instances",
        "$JS.API.STREAM.MSG.GET.instances",
    ],
    "provisioning": [
        "instances.x.requested",
        "$JS.API.CONSUMER.MSG.NEXT.instances.notification",
        "$JS.ACK.instances.notification.1.1.1.1.1",
    ],
    "outbox-relay": [
        "$JS.API.STREAM.MSG.GET.instances",
        "$JS.API.STREAM.DELETE.instances",
        "deadletters.notification.x",
    ],
}


async def refused(messaging: Messaging, what: str) -> None:
    """Wait until the server says so."""
    await until(lambda: f"permissions violation for {what}".lower() in messaging.last_error.lower(), what)


@pytest.mark.parametrize("component", REFUSED)
def test_who_may_not_publish_is_told(messaging: Connections, component: str) -> None:
    async def run() -> None:
        async with connected(messaging("observer")) as observer, connected(messaging(component)) as its:
            await made(observer)
            for subject in REFUSED[component]:
                await its.jetstream()._nc.publish(subject, b"")
                await refused(its, f'publish to "{subject}"')
            assert await stored(observer, "instances") == await stored(observer, "deadletters") == []

    asyncio.run(run())


def test_nobody_reads_the_answers_of_others(messaging: Connections) -> None:
    async def run() -> None:
        async with connected(messaging("notification")) as its:
            for inbox in ("_INBOX_provisioning.>", "_INBOX_outbox-relay.>", "instances.>", ">"):
                await its.jetstream()._nc.subscribe(inbox)
                await refused(its, f'subscription to "{inbox}"')

    asyncio.run(run())


@pytest.mark.parametrize(
    ("error", "blamed"),
    [
        (KeyError("x"), True),
        (psycopg.errors.NotNullViolation(), True),
        (psycopg.DataError(), True),
        (psycopg.OperationalError(), False),
        (psycopg.errors.UndefinedTable(), False),
        (psycopg.errors.InsufficientPrivilege(), False),
        (TimeoutError(), False),
        (ConnectionRefusedError(), False),
        (Unavailable("x"), False),
    ],
)
def test_only_what_an_event_can_do_speaks_against_it(error: Exception, blamed: bool) -> None:
    from gpuaas.messaging.poison import is_to_blame

    assert is_to_blame(error) is blamed
