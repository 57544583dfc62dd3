"""Workers in processes of their own that get SIGKILL once a step took effect, before they can report that.

    python -m support.doomed < where, and which steps, pickled

What they need is imported once, then each is forked. The exit status is 0 when all were killed.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import pickle
import signal
import ssl
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from gpuaas import database
from gpuaas.fleet.client import Fleet
from gpuaas.provisioning.operation_activities import every
from gpuaas.provisioning.states import States
from gpuaas.provisioning.temporal import NAMESPACE, create_worker
from gpuaas.settings import MigrateSettings
from support.payloads import CONVERTER

LONGEST_SECONDS = 60.0


@dataclass(frozen=True)
class Reach:
    """Where a worker finds what it needs."""

    settings: MigrateSettings
    password: str
    fleet: str
    fleet_token: str
    ca: Path
    temporal: str


async def killed(reach: Reach, steps: Sequence[tuple[str, str]]) -> bool:
    """Work for each task queue until its step took effect; whether every worker came to that."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "support.doomed", stdin=asyncio.subprocess.PIPE, env=environment
    )
    async with asyncio.timeout(2 * LONGEST_SECONDS):
        await process.communicate(pickle.dumps((reach, list(steps))))
    return process.returncode == 0


class _Kills(Interceptor):
    def __init__(self, step: str) -> None:
        self._step = step

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Killed(next, self._step)


class _Killed(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, step: str) -> None:
        super().__init__(next)
        self._step = step

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        done = await super().execute_activity(input)
        if activity.info().activity_type == self._step:
            os.kill(os.getpid(), signal.SIGKILL)
        return done


async def _work(reach: Reach, queue: str, step: str) -> None:
    settings = dataclasses.replace(reach.settings, database_user="gpuaas_provisioning")
    fleet = Fleet(reach.fleet, reach.fleet_token, ssl.create_default_context(cafile=str(reach.ca)))
    client = await Client.connect(
        reach.temporal, namespace=NAMESPACE, identity=f"doomed-{queue}", data_converter=CONVERTER
    )
    async with database.create_pool(settings, reach.password, size=1) as pool, asyncio.timeout(LONGEST_SECONDS):
        await create_worker(client, every(fleet, States(pool)), queue, [_Kills(step)]).run()


def main() -> int:
    """Fork, and wait for the deaths."""
    reach, steps = pickle.load(sys.stdin.buffer)
    children = []
    for queue, step in steps:
        if (child := os.fork()) == 0:
            asyncio.run(_work(reach, queue, step))
            os._exit(0)
        children.append(child)
    ends = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    return 0 if set(ends) == {-signal.SIGKILL} else 1


if __name__ == "__main__":
    sys.exit(main())
