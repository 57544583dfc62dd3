"""What stands in the end, read past everything that is under test: the database, the fleet's ledger, the stream."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ansible_collections.gpuaas.parity.tests.local_dev.running import Running

_STATEMENT = (
    "SELECT coalesce(json_agg(json_build_object('id', i.id, 'state', i.state, 'workload', i.workload, 'does',"
    " i.workload_state, 'events', (SELECT coalesce(json_agg("
    "replace(o.event_type, 'instance.', '') ORDER BY o.id), '[]') FROM outbox o WHERE o.instance_id = i.id), 'waiting', (SELECT count(*)"
    " FROM outbox o WHERE o.instance_id = i.id AND o.published_at IS NULL), 'told', (SELECT coalesce(json_agg(replace(t.type,"
    " 'instance.', '') ORDER BY t.position), '[]') FROM timeline t WHERE t.instance_id = i.id))), '[]') FROM instances i"
    " WHERE i.name LIKE '{run}-%'"
)


@dataclass(frozen=True)
class Instance:
    """An instance: its events in the outbox, how many of them wait there, and its timeline; what it asked to run, and how that does."""

    state: str
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
    """All of it; ``letters`` is how many messages were given up."""

    instances: dict[str, Instance]
    ledger: list[Effect]
    letters: int

    @property
    def at_rest(self) -> bool:
        """Whether everything has come to its end."""
        return all(
            each.state in ("running", "failed", "deleted")
            and not each.waiting
            and each.told == each.events
            and (each.state != "deleted" or "released" in each.events)
            and each.workload_is_at_rest
            for each in self.instances.values()
        )


def look(project: Running, run: str) -> Seen:
    """Read it now, of the instances of a run. Raises CalledProcessError while something is away."""
    rows: list[dict[str, Any]] = json.loads(project.sql(_STATEMENT.replace("{run}", run)))
    lines = project.inside("gpu-fleet", "/opt/gpu-fleet/bin/gpu-fleet", "ledger").splitlines()
    streams = json.loads(project.inside("outbox-relay", "/opt/gpuaas/bin/gpuaas", "relay", "--status"))["streams"]
    return Seen(
        {row["id"]: Instance(row["state"], row["events"], row["waiting"], row["told"], row["workload"], row["does"]) for row in rows},
        [Effect(each["reservation"], each["instance"], each["effect"]) for each in map(json.loads, lines)],
        streams["deadletters"],
    )
