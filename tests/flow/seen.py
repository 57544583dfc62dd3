"""What stands in the end, read past what is under test: the database, the fleet and its ledger, the stream, Temporal, the journal."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.gpuaas.parity.tests.local_dev.running import Running

from .life import RESTING

UUID_LENGTH = 36
_INSTANCES = (
    "SELECT coalesce(json_agg(json_build_object('id', i.id, 'state', i.state, 'size', i.gpu_count, 'workload', i.workload, 'does',"
    " i.workload_state, 'events', (SELECT coalesce(json_agg("
    "replace(o.event_type, 'instance.', '') ORDER BY o.id), '[]') FROM outbox o WHERE o.instance_id = i.id), 'ids', (SELECT coalesce("
    "json_agg(o.event_id ORDER BY o.id), '[]') FROM outbox o WHERE o.instance_id = i.id), 'waiting', (SELECT count(*)"
    " FROM outbox o WHERE o.instance_id = i.id AND o.published_at IS NULL), 'told', (SELECT coalesce(json_agg(replace(t.type,"
    " 'instance.', '') ORDER BY t.position), '[]') FROM timeline t WHERE t.instance_id = i.id))), '[]') FROM instances i"
    " WHERE i.name LIKE '{run}-%'"
)
# Of each project, whatever else is in it.
_USED = (
    "SELECT coalesce(json_object_agg(project, used), '{}') FROM (SELECT project, sum(greatest(gpu_count, wanted_gpu_count)) AS used"
    " FROM instances WHERE state NOT IN ('stopped', 'failed', 'deleted') GROUP BY project) AS p"
)
_HELD = (
    "import json, os; from gpu_fleet import client, settings; its = settings.read(os.environ);"
    " print(json.dumps(client.api(its, settings.read_secrets(its.credentials), '/v1/reservations')['items']))"
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
from gpuaas.settings import ProvisioningSecrets, ProvisioningSettings, read_secrets, read_settings

async def main():
    settings = read_settings(ProvisioningSettings, os.environ)
    secrets = read_secrets(ProvisioningSecrets, settings.secrets_source.provider(settings.ca_file))
    client = await temporal.connect(settings, temporal.client_tls(settings), "flow", temporal.codec_of(secrets))
    print(json.dumps([each.id async for each in client.list_workflows("ExecutionStatus = 'Running'")]))

asyncio.run(main())
"""

# The ids of the events of every chain in its order, and what of a chain does not hold.
_JOURNAL = """
import asyncio, json, os
from gpuaas import database
from gpuaas.journal import outbox
from gpuaas.journal.process import open_journal
from gpuaas.journal.verification import Verification
from gpuaas.settings import JournalSecrets, JournalSettings, read_secrets, read_settings

async def main():
    settings = read_settings(JournalSettings, os.environ)
    secrets = read_secrets(JournalSecrets, settings.secrets_source.provider(settings.ca_file))
    journal, found, ids = open_journal(settings, secrets), [], []
    async with database.create_pool(settings, secrets.database_password, size=1) as pool, pool.connection() as connection:
        chains = await outbox.chains(connection)
    for chain in chains.values():
        reading = Verification(chain.project, chain.start)
        while entries := journal.page(chain.project, reading.number):
            reading.read(entries, chain.head.number)
            ids += [str(entry.record.event_id) for entry in entries]
        found += map(str, reading.end(chain.head).findings)
    print(json.dumps([ids, found]))

asyncio.run(main())
"""


@dataclass(frozen=True)
class Instance:
    """An instance: how many GPUs it has, its events in the outbox and their ids, how many of them wait there, its timeline; what it
    asked to run besides, and how that does.
    """

    state: str
    size: int
    events: list[str]
    waiting: int
    told: list[str]
    workload: str | None = None
    does: str | None = None
    ids: list[str] = field(default_factory=list)

    @property
    def of_itself(self) -> list[str]:
        """Its events, without those of its workload."""
        return [each for each in self.events if not each.startswith("workload.")]

    @property
    def of_workload(self) -> list[str]:
        """The others."""
        return [each.removeprefix("workload.") for each in self.events if each.startswith("workload.")]

    @property
    def workload_is_at_rest(self) -> bool:
        """Whether nothing is to be done about its workload."""
        wanted = self.state == "running" and self.workload
        return self.does in (("healthy", "unhealthy") if wanted else (None, "removed"))


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
    workflows that have not ended. ``held`` is how many GPUs each reservation of an instance has, ``used`` how many each project
    uses, of ``allowed``. ``journal`` has the ids of the events of all chains, each in its order, and ``broken`` what does not hold.
    """

    instances: dict[str, Instance]
    ledger: list[Effect]
    letters: int
    stream: Collection[str]
    open: Collection[str]
    held: dict[str, list[int]] = field(default_factory=dict)
    used: dict[str, int] = field(default_factory=dict)
    allowed: int = 0
    journal: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    @property
    def at_rest(self) -> bool:
        """Whether everything has come to its end."""
        written = frozenset(self.journal)
        return not self.open and all(
            each.state in RESTING
            and not each.waiting
            and written.issuperset(each.ids)
            and each.told == each.events
            and (each.state != "deleted" or "released" in each.events)
            and each.workload_is_at_rest
            for each in self.instances.values()
        )


def before(project: Running) -> Before:
    """Read it now. Raises CalledProcessError while something is away."""
    return Before(len(_ledger(project)), _letters(project))


def look(project: Running, run: str, began_with: Before) -> Seen:
    """Read what there is of a run now. Raises CalledProcessError while something is away."""
    rows: list[dict[str, Any]] = json.loads(project.sql(_INSTANCES.replace("{run}", run)))
    instances = {row.pop("id"): Instance(**row) for row in rows}
    held: dict[str, list[int]] = defaultdict(list)
    for its in json.loads(project.inside("gpu-fleet", "/opt/gpu-fleet/bin/python", "-c", _HELD)):
        held[its["instance"]].append(its["gpu_count"])
    return Seen(
        instances,
        _ledger(project)[began_with.effects :],
        _letters(project) - began_with.letters,
        frozenset(json.loads(_python(project, "outbox-relay", _SUBJECTS))),
        # Its id is what is done, the instance, and the number of the operation.
        [each for each in json.loads(_python(project, "provisioning", _OPEN)) if each.partition("-")[2][:UUID_LENGTH] in instances],
        dict(held),
        json.loads(project.sql(_USED)),
        int(project.contract["services"]["api"]["settings"]["GPUAAS_PROJECT_GPU_QUOTA"]),
        *json.loads(_python(project, "journal", _JOURNAL)),
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
