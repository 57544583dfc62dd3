"""What a tenant is told of how the platform does: a sentence and no number, and nothing of other projects."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from gpuaas.api.platform.models import Notice, PlatformStatus, WorkerState
from gpuaas.api.platform.reader import PlatformReader

DELAYED = "Things take longer than usual at the moment. What you ask for is kept, and is done later."
GIVEN_UP = "A step of this instance could not be done. Those who run the platform can see it; you need not do anything."
# What it writes down has happened already: nobody waits for it.
_NOBODY_WAITS_FOR = "journal"


async def notices(reader: PlatformReader, project: str) -> list[Notice]:
    """What a project should know now. Raises psycopg.Error."""
    seen = await reader.now()
    found = [Notice(instance_id=None, sentence=sentence) for sentence in _general(seen)]
    if given_up := _given_up(seen):
        theirs = sorted(await reader.of_project(project, given_up))
        found += [Notice(instance_id=instance, sentence=GIVEN_UP) for instance in theirs]
    return found


def _given_up(seen: PlatformStatus) -> set[UUID]:
    """Instances with dead letters; a message that nobody understands may be of none."""
    found = set()
    for letter in seen.dead_letters.report.items if seen.dead_letters else []:
        with suppress(ValueError):
            found.add(UUID(letter.instance))
    return found


def _general(seen: PlatformStatus) -> list[str]:
    held_up = seen.outbox.late or any(
        worker.state != WorkerState.WORKING and worker.report.name != _NOBODY_WAITS_FOR for worker in seen.workers
    )
    # Where nobody has ever reported nobody works: that is this lane, and no delay.
    found = [DELAYED] if seen.workers and held_up else []
    if seen.fleet and not seen.fleet.stale:
        full = [its.gpu_type for its in seen.fleet.report.capacity if its.total and not its.largest]
        found += [f"No {' and no '.join(full)} is free at the moment."] if full else []
    return found
