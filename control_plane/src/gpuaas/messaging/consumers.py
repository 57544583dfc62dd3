"""How a durable consumer of the stream is configured, and how it is made that."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, ReplayPolicy
from nats.js.errors import NotFoundError

from gpuaas.messaging.streams import INSTANCES, replays

# What a killed process held comes again after this long; a living one says in time that it goes on.
ACK_WAIT_SECONDS = 5.0
# Events that one consumer may hold at once, those included that wait behind another one of their instance.
MAX_ACK_PENDING = 64
STREAM = INSTANCES.name or ""


def config(name: str, filter_subjects: Sequence[str]) -> ConsumerConfig:
    """From the first event on; attempts are counted and bounded by whoever handles them (``consumer``)."""
    return ConsumerConfig(
        name=name,
        durable_name=name,
        deliver_policy=DeliverPolicy.ALL,
        ack_policy=AckPolicy.EXPLICIT,
        replay_policy=ReplayPolicy.INSTANT,
        ack_wait=ACK_WAIT_SECONDS,
        max_deliver=-1,
        max_ack_pending=MAX_ACK_PENDING,
        # One pull at a time, and some of a predecessor that have not expired yet.
        max_waiting=16,
        filter_subjects=[*filter_subjects, replays(name, "*")],
    )


async def differences(jetstream: JetStreamContext, wanted: ConsumerConfig) -> list[str]:
    """Where the server's consumer is not what it should be: ``<consumer>``, or ``<consumer>.<field>``.

    Raises nats.errors.Error.
    """
    try:
        live = (await jetstream.consumer_info(STREAM, wanted.name or "")).config
    except NotFoundError:
        return [wanted.name or ""]
    stated = (field.name for field in dataclasses.fields(wanted) if getattr(wanted, field.name) is not None)
    return sorted(f"{wanted.name}.{name}" for name in stated if getattr(wanted, name) != getattr(live, name))


async def reconcile(jetstream: JetStreamContext, wanted: ConsumerConfig) -> list[str]:
    """Make it when it is missing, change what differs; returns what that was. Raises nats.errors.Error.

    One with another filter is made again, and sends everything again: a consumer has passed what its filter left out, and
    does not go back for it when the filter grows. Its handlers know what they have done.
    """
    found = await differences(jetstream, wanted)
    if f"{wanted.name}.filter_subjects" in found:
        await jetstream.delete_consumer(STREAM, wanted.name or "")
        found = [wanted.name or ""]
    if found:
        await jetstream.add_consumer(STREAM, wanted)
    return found
