"""The stream of events at its limit, filled with what no consumer reads.

It is done by the relay's own certificate, in its container: nobody else may publish. What fills it is put where replays go, of a
consumer that there is not, and goes with a roll-up, for which the stream is larger for a moment; the relay then makes the
stream what it should be.
"""

from __future__ import annotations

import subprocess

from ansible_collections.gpuaas.parity.tests.local_dev.running import Running

from .engine import last
from .plan import Fault

_SUBJECT = "replays.nobody.full"
_BEGIN = """
import asyncio, dataclasses, os
import nats.errors
from nats.js.errors import APIError
from gpuaas.messaging import streams
from gpuaas.messaging.connection import Messaging
from gpuaas.settings import WorkerSettings, read_settings

async def main():
    messaging = Messaging(read_settings(WorkerSettings, os.environ), "outbox-relay")
    await messaging.opened(20)
    try:
        await work(messaging.jetstream())
    finally:
        await messaging.close()
"""
_FILL = f"""
async def work(jetstream):
    size = 250_000
    while size:
        try:
            await jetstream.publish({_SUBJECT!r}, bytes(size), stream="instances")
        except APIError as error:
            if "maximum bytes" not in str(error.description):
                raise
            size //= 2
"""
_EMPTY = f"""
async def work(jetstream):
    larger = dataclasses.replace(streams.INSTANCES, max_bytes=streams.INSTANCES.max_bytes + 1_000_000, allow_rollup_hdrs=True)
    async with asyncio.timeout(30):
        while True:
            await jetstream.update_stream(larger)
            try:
                # The relay may have made it smaller again.
                await jetstream.publish({_SUBJECT!r}, b"", stream="instances", headers={{"Nats-Rollup": "sub"}})
                return
            except APIError:
                continue
"""


def full(project: Running, fault: Fault) -> None:
    """Not even the smallest event has room, for a while."""
    try:
        _relay(project, _FILL)
        last(fault.seconds)
    finally:
        _relay(project, _EMPTY)


def _relay(project: Running, work: str) -> None:
    try:
        project.inside("outbox-relay", "/opt/gpuaas/bin/python", "-c", f"{_BEGIN}{work}\nasyncio.run(main())")
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"the stream was not filled or emptied: {error.stderr.strip()[-300:]}") from None
