"""The streams that the control plane needs, and how one is made what it should be."""

from __future__ import annotations

import dataclasses

from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

MAX_MESSAGE_BYTES = 256 * 1024

# Every event stays for as long as the outbox keeps what was published. When the stream is full the
# server refuses, and the outbox keeps what is new: what was acknowledged is never dropped for it.
# A dead letter that is replayed comes as replays.<consumer>.<instance>, which that consumer alone reads.
INSTANCES = StreamConfig(
    name="instances",
    subjects=["instances.>", "replays.>"],
    retention=RetentionPolicy.LIMITS,
    storage=StorageType.FILE,
    discard=DiscardPolicy.NEW,
    max_age=7 * 24 * 3600.0,
    max_bytes=256 * 1024 * 1024,
    max_msg_size=MAX_MESSAGE_BYTES,
    duplicate_window=120.0,
    num_replicas=1,
    deny_delete=True,
)
# Whatever a consumer gave up stays until somebody looks into it. A full one refuses, and the message stays with its
# consumer. A letter is the message and a few headers more.
DEADLETTERS = StreamConfig(
    name="deadletters",
    subjects=["deadletters.>"],
    retention=RetentionPolicy.LIMITS,
    storage=StorageType.FILE,
    discard=DiscardPolicy.NEW,
    max_bytes=64 * 1024 * 1024,
    max_msg_size=MAX_MESSAGE_BYTES + 8 * 1024,
    duplicate_window=120.0,
    num_replicas=1,
)
STREAMS = (INSTANCES, DEADLETTERS)


def replays(consumer: str, instance: str) -> str:
    """The subject of what one consumer alone is to handle again; ``*`` for every instance."""
    return f"replays.{consumer}.{instance}"


def deadletters(consumer: str, instance: str) -> str:
    """The subject of what a consumer gave up."""
    return f"deadletters.{consumer}.{instance}"


async def differences(jetstream: JetStreamContext) -> list[str]:
    """Where the server's streams are not what they should be: ``<stream>``, or ``<stream>.<field>``.

    Raises nats.errors.Error.
    """
    found: list[str] = []
    for wanted in STREAMS:
        live = await _live(jetstream, wanted)
        found += [wanted.name or ""] if live is None else [f"{wanted.name}.{field}" for field in _differ(wanted, live)]
    return found


async def reconcile(jetstream: JetStreamContext) -> list[str]:
    """Make what is missing, change what differs; returns what that was. Raises nats.errors.Error."""
    changed: list[str] = []
    for wanted in STREAMS:
        live = await _live(jetstream, wanted)
        if live is None:
            await jetstream.add_stream(wanted)
            changed.append(wanted.name or "")
        elif fields := _differ(wanted, live):
            await jetstream.update_stream(wanted)
            changed += [f"{wanted.name}.{field}" for field in fields]
    return changed


async def _live(jetstream: JetStreamContext, wanted: StreamConfig) -> StreamConfig | None:
    try:
        return (await jetstream.stream_info(wanted.name or "")).config
    except NotFoundError:
        return None


def _differ(wanted: StreamConfig, live: StreamConfig) -> list[str]:
    """The fields that are stated here and are otherwise there; what is left to the server is its own matter."""
    stated = (field.name for field in dataclasses.fields(wanted) if getattr(wanted, field.name) != field.default)
    return sorted(name for name in stated if getattr(wanted, name) != getattr(live, name))
