"""Compares what the database and the fleet say of workloads, again and again, and does what is next for each of them.

An event only says that there is something to do at once; what is to be done is read from where it is true. So whatever was
missed, lost or done by somebody else is found by the next look.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Container, Iterable
from contextlib import suppress
from uuid import UUID

import psycopg

from gpuaas.app_runtime.catalogue import UnknownWorkload, image_of
from gpuaas.app_runtime.steps import Believed, State, Step, condition, holding, intended, is_settled, step
from gpuaas.app_runtime.workloads import Workloads
from gpuaas.fleet.client import OUTDATED, Fleet, FleetRefusal, FleetUnavailable
from gpuaas.fleet.reservation import Reservation, Seen
from gpuaas.reporting.rounds import Rounds, said

LOOK_SECONDS = 5.0
# While something is under way.
POLL_SECONDS = 0.5
# A worker whose last good look is older than this does not do its work.
STALE_SECONDS = 30.0
AT_ONCE = 4
_EXPECTED = (psycopg.Error, FleetUnavailable, FleetRefusal, UnknownWorkload)
_TELLS = {"unhealthy": "does not answer", "crashed": "crashed", "lost": "was lost"}
_log = logging.getLogger(__name__)


class Keeper:
    """One process at a time: two would do each other's work, and nothing twice."""

    def __init__(self, workloads: Workloads, fleet: Fleet, clock: Callable[[], float] = time.monotonic) -> None:
        self._workloads = workloads
        self._fleet = fleet
        self._woken = asyncio.Event()
        self.rounds = Rounds(_log, "workloads are not looked after", STALE_SECONDS, clock)
        self._at_once = asyncio.Semaphore(AT_ONCE)

    def wake(self) -> None:
        """Look now."""
        self._woken.set()

    async def run(self) -> None:
        """Look for as long as the process lives; a fault of a dependency is waited out."""
        while True:
            self._woken.clear()
            try:
                settled = await self.once()
                self.rounds.good()
            except _EXPECTED as error:
                settled = False
                self.rounds.failed(said(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), LOOK_SECONDS if settled else POLL_SECONDS)

    async def once(self) -> bool:
        """Do what is next for each workload; True when there was nothing, and nothing is under way. Raises what is expected.

        What one of them fails with is raised when the others have had their turn.
        """
        # In this order: what the fleet has and the database has not was not deployed meanwhile.
        every = await self._fleet.every()
        held = holding(every)
        believed = {its.instance_id: its for its in await self._workloads.open()}
        strangers = _strangers(every, believed)
        work = [self._one(its, held.get(instance)) for instance, its in believed.items()]
        work += [self._remove_stranger(its) for its in strangers]
        ended = await asyncio.gather(*work, return_exceptions=True)
        for error in ended:
            if isinstance(error, BaseException):
                raise error
        return all(ended)

    async def _one(self, its: Believed, found: Reservation | None) -> bool:
        async with self._at_once:
            if intended(its):
                await self._workloads.intend(its.instance_id)
                return False
            if step(its, found) is None:
                return is_settled(its, found)
            # What was read together may be old; what is done is decided by a reading of its own, and fenced by it.
            await self._do(its, await self._seen(found))
            return False

    async def _do(self, its: Believed, seen: Seen | None) -> None:
        now = seen.reservation if seen else None
        match step(its, now):
            case Step.DEPLOY if seen:
                if await self._deploy(its, seen):
                    await self._say(its, State.DEPLOYED, f"is deployed to {seen.reservation.node}")
            case Step.REMOVE if seen:
                await self._remove(seen)
            case Step.SAY_HEALTHY:
                await self._say(its, State.HEALTHY, "answers")
            case Step.SAY_UNHEALTHY:
                how = condition(now)
                await self._say(its, State.UNHEALTHY, _TELLS[how], reason=how)
            case Step.SAY_REMOVED:
                await self._say(its, State.REMOVED, "was removed")
            case Step.DEPLOY_AGAIN:
                await self._workloads.move(its, State.PENDING, crashes=1)

    async def _say(self, its: Believed, after: State, does: str, **more: str) -> None:
        told = {"workload": its.workload, "message": f"Its {its.workload} {does}.", **more}
        await self._workloads.move(its, after, told)

    async def _deploy(self, its: Believed, seen: Seen) -> bool:
        """Whether it is deployed: the turn is part of the key, so a repetition is the same deployment."""
        key = f"{seen.reservation.id}:workload:{its.turn}"
        try:
            await self._fleet.deploy(seen, image_of(its.workload), key)
        except FleetRefusal as refusal:
            if refusal.code in OUTDATED:
                return False
            if refusal.code != "wrong_state":
                raise
            _log.warning("another workload is in the way", extra={"fields": {"instance_id": its.instance_id}})
            await self._remove(seen)
            return False
        return True

    async def _remove_stranger(self, its: Reservation) -> bool:
        async with self._at_once:
            if its.operation is None and (seen := await self._seen(its)):
                _log.warning("a workload that nobody wants", extra={"fields": {"instance_id": its.instance}})
                await self._remove(seen)
            return False

    async def _remove(self, seen: Seen) -> None:
        try:
            await self._fleet.remove(seen)
        except FleetRefusal as refusal:
            if refusal.code not in (*OUTDATED, "not_found"):
                raise

    async def _seen(self, found: Reservation | None) -> Seen | None:
        """The reservation now, where there was one."""
        if found is None:
            return None
        try:
            return await self._fleet.get(found.id)
        except FleetRefusal as refusal:
            if refusal.code != "not_found":
                raise
            return None


def _strangers(every: Iterable[Reservation], believed: Container[UUID]) -> list[Reservation]:
    """What has a workload that is nobody's: its instance has none, or has it elsewhere."""
    held = holding(every)
    return [its for its in every if its.workload and (its.instance not in believed or its is not held[its.instance])]


def unsettled(every: Iterable[Reservation], believed: list[Believed]) -> list[dict[str, str | None]]:
    """Where the database and the fleet disagree about a workload, or something is under way."""
    held, known = holding(every), {its.instance_id for its in believed}
    found = [
        (its.instance_id, its.state, held.get(its.instance_id))
        for its in believed
        if not is_settled(its, held.get(its.instance_id))
    ]
    found += [(its.instance, None, its) for its in _strangers(every, known)]
    return [{"instance_id": str(i), "database": state, "fleet": condition(its)} for i, state, its in found]
