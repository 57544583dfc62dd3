"""Whether workloads are looked after: one line of JSON.

Over connections of its own it compares what the database and the fleet say of them, until they agree or enough time has
passed in which a worker that works would have seen to it; and looks at the worker's consumer of events.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections import Counter
from typing import Any

import nats.errors
import psycopg

from gpuaas import database
from gpuaas.app_runtime.keeper import unsettled
from gpuaas.app_runtime.process import FILTERS
from gpuaas.app_runtime.workloads import NAME, Workloads
from gpuaas.fleet.client import Fleet, FleetRefusal, FleetUnavailable
from gpuaas.messaging import status as consumer
from gpuaas.settings import FleetSecrets, FleetSettings

PATIENCE_SECONDS = 10.0
POLL_SECONDS = 0.5
_FAULTS = (psycopg.Error, FleetUnavailable, FleetRefusal, TimeoutError, nats.errors.Error, OSError)


def run(settings: FleetSettings, secrets: FleetSecrets, tls: ssl.SSLContext) -> int:
    """Print it; returns the exit status: 0 when they agree and the consumer is right, 1 when not or nobody can tell.

    Raises ConfigurationError.
    """
    try:
        seen = asyncio.run(_look(settings, secrets, tls))
    except _FAULTS as error:
        print(json.dumps({"error": f"{type(error).__name__}: {error}".rstrip(": ")}))
        return 1
    print(json.dumps(seen))
    return 1 if seen["consumer_differs"] or seen["fleet_disagrees"] else 0


async def _look(settings: FleetSettings, secrets: FleetSecrets, tls: ssl.SSLContext) -> dict[str, Any]:
    pool = database.create_pool(settings, secrets.database_password, size=1)
    end = time.monotonic() + PATIENCE_SECONDS
    async with Fleet.of(settings, secrets, tls) as fleet, pool:
        while True:
            every = await fleet.every()
            believed = await Workloads(pool).open()
            found = unsettled(every, believed)
            if not found or time.monotonic() > end:
                break
            await asyncio.sleep(POLL_SECONDS)
    events = await consumer.look(settings, NAME, FILTERS)
    states = Counter(str(its.state) for its in believed)
    return {"workloads": dict(sorted(states.items())), "fleet_disagrees": found, **events}
