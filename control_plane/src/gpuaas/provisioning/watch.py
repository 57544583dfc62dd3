"""Looks at the fleet again and again, and begins a workflow wherever it disagrees with the database."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import psycopg
from temporalio.client import Client
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from gpuaas.fleet.client import Fleet, FleetRefusal, FleetUnavailable
from gpuaas.messaging.poison import Unavailable
from gpuaas.provisioning.disagreements import disagreements
from gpuaas.provisioning.order import TASK_QUEUE, Disagreement
from gpuaas.provisioning.states import States
from gpuaas.provisioning.workflows import SettleInstance
from gpuaas.reporting.rounds import Rounds, said
from gpuaas.reporting.tally import Tally

LOOK_SECONDS = 5.0
# A worker whose last good look is older than this does not do its work.
STALE_SECONDS = 30.0
_EXPECTED = (psycopg.Error, FleetUnavailable, FleetRefusal, RPCError, Unavailable)
_log = logging.getLogger(__name__)


class Watch:
    """``client`` raises Unavailable while there is no connection to Temporal."""

    def __init__(self, states: States, fleet: Fleet, client: Callable[[], Client]) -> None:
        self._states = states
        self._fleet = fleet
        self._client = client
        self.disagreements: list[Disagreement] = []  # of the last look
        self.settled = Tally("disagreements settled")
        self.rounds = Rounds(_log, "the fleet is not watched", STALE_SECONDS)

    async def run(self) -> None:
        """Watch for as long as the process lives; a fault of a dependency is waited out."""
        while True:
            try:
                await self.once()
                self.rounds.good()
            except _EXPECTED as error:
                self.rounds.failed(said(error))
            await asyncio.sleep(LOOK_SECONDS)

    async def once(self) -> int:
        """Look once; returns how many disagreements there were. Raises what is expected."""
        self.disagreements = found = await disagreements(self._states, self._fleet)
        for each in found:
            fields = {"instance_id": each.instance_id, "reason": each.reason or "not wanted", "detail": each.detail}
            _log.warning("the fleet disagrees", extra={"fields": fields})
            try:
                await self._client().start_workflow(
                    SettleInstance.run, each, id=f"settle-{each.instance_id}", task_queue=TASK_QUEUE
                )
            except WorkflowAlreadyStartedError:
                continue
            self.settled.add(f"{each.instance_id}: {each.detail}")
        return len(found)
