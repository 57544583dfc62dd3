"""What stands in the end, read past what is under test: the database, the fleet's ledger, the stream, Temporal."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from ansible_collections.gpuaas.parity.tests.local_dev.running import Running

_STATEMENT = (
    "SELECT coalesce(json_agg(json_build_object('id', i.id, 'state', i.state, 'events', (SELECT coalesce(json_agg("
    "replace(o.event_type, 'instance.', '') ORDER BY o.id), '[]') FROM outbox o WHERE o.instance_id = i.id), 'waiting', (SELECT count(*)"
    " FROM outbox o WHERE o.instance_id = i.id AND o.published_at IS NULL), 'told', (SELECT coalesce(json_agg(replace(t.type,"
    " 'instance.', '') ORDER BY t.position), '[]') FROM timeline t WHERE t.instance_id = i.id))), '[]') FROM instances i"
    " WHERE i.name LIKE '{run}-%'"
)

# By the certificate of the component in whose container it runs.
_SUBJECTS = """
import asyncio, json, os
from gpuaas.messaging.connection import Messaging
from gpuaas.settings import WorkerSettings, read_settings

async def main():
    messaging = Messaging(read_settings(WorkerSettings, os.environ), "outbox-relay")
    await messaging.opened(20)
    try:
        info = await messaging.jetstream().stream_info("instances", subjects_filter="instances.>")
        print(json.dumps(list(info.state.subjects or {})))
    finally:
        await messaging.close()

asyncio.run(main())
"""
_OPEN = """
import asyncio, json, os
from gpuaas.provisioning import temporal
from gpuaas.settings import ProvisioningSettings, read_settings

async def main():
    settings = read_settings(ProvisioningSettings, os.environ)
    client = await temporal.connect(settings, temporal.client_tls(settings), "flow")
    print(json.dumps([each.id async for each in client.list_workflows("ExecutionStatus = 'Running'")]))

asyncio.run(main())
"""


@dataclass(frozen=True)
class Instance:
    """An instance: its events in the outbox, how many of them wait there, and its timeline."""

    state: str
    events: list[str]
    waiting: int
    told: list[str]


@dataclass(frozen=True)
class Effect:
    """A line of the fleet's ledger."""

    reservation: str
    instance: str
    effect: str


@dataclass(frozen=True)
class Before:
    """What stood there before: lines of the ledger, messages that were given up."""

    effects: int
    letters: int


@dataclass(frozen=True)
class Seen:
    """All of it.

    ``letters`` is how many messages were given up meanwhile, ``stream`` has the subjects that there are events of, ``open`` the
    workflows that have not ended.
    """

    instances: dict[str, Instance]
    ledger: list[Effect]
    letters: int
    stream: Collection[str]
    open: Collection[str]

    @property
    def at_rest(self) -> bool:
        """Whether everything has come to its end."""
        return not self.open and all(
            each.state in ("running", "failed", "deleted")
            and not each.waiting
            and each.told == each.events
            and (each.state != "deleted" or "released" in each.events)
            for each in self.instances.values()
        )


def before(project: Running) -> Before:
    """Read it now. Raises CalledProcessError while something is away."""
    return Before(len(_ledger(project)), _letters(project))


def look(project: Running, run: str, began_with: Before) -> Seen:
    """Read what there is of a run now. Raises CalledProcessError while something is away."""
    rows: list[dict[str, Any]] = json.loads(project.sql(_STATEMENT.replace("{run}", run)))
    return Seen(
        {row["id"]: Instance(row["state"], row["events"], row["waiting"], row["told"]) for row in rows},
        _ledger(project)[began_with.effects :],
        _letters(project) - began_with.letters,
        frozenset(json.loads(_python(project, "outbox-relay", _SUBJECTS))),
        [each for each in json.loads(_python(project, "provisioning", _OPEN)) if each.partition("-")[2] in {row["id"] for row in rows}],
    )


def living(project: Running, run: str) -> list[str]:
    """The instances of a run that are not deleted. Raises CalledProcessError while something is away."""
    return project.sql(
        f"SELECT coalesce(string_agg(id::text, ' '), '') FROM instances WHERE name LIKE '{run}-%' AND state <> 'deleted'"
    ).split()


def _ledger(project: Running) -> list[Effect]:
    lines = map(json.loads, project.inside("gpu-fleet", "/opt/gpu-fleet/bin/gpu-fleet", "ledger").splitlines())
    return [Effect(each["reservation"], each["instance"], each["effect"]) for each in lines]


def _letters(project: Running) -> int:
    said = project.inside("outbox-relay", "/opt/gpuaas/bin/gpuaas", "relay", "--status")
    return int(json.loads(said)["streams"]["deadletters"])


def _python(project: Running, component: str, program: str) -> str:
    return project.inside(component, "/opt/gpuaas/bin/python", "-c", program)
