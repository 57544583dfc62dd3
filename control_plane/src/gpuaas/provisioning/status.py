"""Whether provisioning works: one line of JSON.

Over connections of its own it has the running worker take a workflow to its end, whose step asks the database and the
fleet, and looks at the worker's consumer of events. An instance that is deleted while GPUs are being reserved for it holds
some that it should not, until its workflow has given them back: what counts is what stays so.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import nats.errors
from temporalio.client import Client, WorkflowFailureError
from temporalio.service import RPCError

from gpuaas.messaging import status as consumer
from gpuaas.provisioning import temporal
from gpuaas.provisioning.order import TASK_QUEUE, Disagreement
from gpuaas.provisioning.starter import FILTERS
from gpuaas.provisioning.workflows import Look
from gpuaas.settings import ProvisioningSecrets, ProvisioningSettings

NAME = "provisioning"
WORKFLOW_SECONDS = 20.0
# In which a worker that works would have seen to it: it compares every five.
PATIENCE_SECONDS = 10.0
POLL_SECONDS = 0.5
_FAULTS = (RPCError, RuntimeError, WorkflowFailureError, TimeoutError, nats.errors.Error, OSError)


def run(settings: ProvisioningSettings, secrets: ProvisioningSecrets) -> int:
    """Print it; returns the exit status: 0 when it works and nothing disagrees, 1 when not or nobody can tell.

    Raises ConfigurationError.
    """
    try:
        seen = asyncio.run(_look(settings, secrets))
    except _FAULTS as error:
        cause = error.cause if isinstance(error, WorkflowFailureError) else error
        print(json.dumps({"error": f"{type(cause).__name__}: {cause}".rstrip(": ")}))
        return 1
    print(json.dumps(seen))
    return 1 if seen["consumer_differs"] or seen["fleet_disagrees"] else 0


async def _look(settings: ProvisioningSettings, secrets: ProvisioningSecrets) -> dict[str, Any]:
    client = await asyncio.wait_for(
        temporal.connect(settings, temporal.client_tls(settings), "status", temporal.codec_of(secrets)),
        temporal.CONNECT_SECONDS,
    )
    began = time.monotonic()
    found = await _disagreements(client)
    took = round(time.monotonic() - began, 3)
    while found and time.monotonic() - began < PATIENCE_SECONDS:
        await asyncio.sleep(POLL_SECONDS)
        still = {each.instance_id for each in found}
        found = [each for each in await _disagreements(client) if each.instance_id in still]
    events = await consumer.look(settings, NAME, FILTERS)
    return {"workflow_seconds": took, "fleet_disagrees": [asdict(each) for each in found], **events}


async def _disagreements(client: Client) -> list[Disagreement]:
    return await client.execute_workflow(
        Look.run,
        id=f"look-{uuid.uuid4()}",
        task_queue=TASK_QUEUE,
        execution_timeout=timedelta(seconds=WORKFLOW_SECONDS),
    )
