"""What stands in the end, read past everything that is under test: the database, the fleet and its ledger, the stream."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.gpuaas.parity.tests.local_dev.running import Running

from .life import RESTING

_INSTANCES = (
    "SELECT coalesce(json_agg(json_build_object('id', i.id, 'state', i.state, 'size', i.gpu_count, 'workload', i.workload, 'does',"
    " i.workload_state, 'events', (SELECT coalesce(json_agg("
    "replace(o.event_type, 'instance.', '') ORDER BY o.id), '[]') FROM outbox o WHERE o.instance_id = i.id), 'waiting', (SELECT count(*)"
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


@dataclass(frozen=True)
class Instance:
    """An instance: how many GPUs it has, its events in the outbox, how many of them wait there, its timeline; what it asked to
    run besides, and how that does.
    """

    state: str
    size: int
    events: list[str]
    waiting: int
    told: list[str]
    workload: str | None = None
    does: str | None = None

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
class Seen:
    """All of it; ``letters`` is how many messages were given up.

    ``held`` is how many GPUs each reservation of an instance has, ``used`` how many each project uses, of ``allowed``.
    """

    instances: dict[str, Instance]
    ledger: list[Effect]
    letters: int
    held: dict[str, list[int]] = field(default_factory=dict)
    used: dict[str, int] = field(default_factory=dict)
    allowed: int = 0

    @property
    def at_rest(self) -> bool:
        """Whether everything has come to its end."""
        return all(
            each.state in RESTING
            and not each.waiting
            and each.told == each.events
            and (each.state != "deleted" or "released" in each.events)
            and each.workload_is_at_rest
            for each in self.instances.values()
        )


def look(project: Running, run: str) -> Seen:
    """Read it now, of the instances of a run. Raises CalledProcessError while something is away."""
    rows: list[dict[str, Any]] = json.loads(project.sql(_INSTANCES.replace("{run}", run)))
    lines = project.inside("gpu-fleet", "/opt/gpu-fleet/bin/gpu-fleet", "ledger").splitlines()
    streams = json.loads(project.inside("outbox-relay", "/opt/gpuaas/bin/gpuaas", "relay", "--status"))["streams"]
    held: dict[str, list[int]] = defaultdict(list)
    for its in json.loads(project.inside("gpu-fleet", "/opt/gpu-fleet/bin/python", "-c", _HELD)):
        held[its["instance"]].append(its["gpu_count"])
    return Seen(
        {row.pop("id"): Instance(**row) for row in rows},
        [Effect(each["reservation"], each["instance"], each["effect"]) for each in map(json.loads, lines)],
        streams["deadletters"],
        dict(held),
        json.loads(project.sql(_USED)),
        int(project.contract["services"]["api"]["settings"]["GPUAAS_PROJECT_GPU_QUOTA"]),
    )
