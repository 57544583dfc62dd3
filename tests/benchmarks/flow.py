"""The figures of lane async: what it costs to start, how soon an instance runs, how much goes through, how soon it goes on.

    .venv/bin/python tests/benchmarks/flow.py [--rounds 3] [--output FILE]

Nothing is judged: a figure that is over its aim is shown as such. The platforms are instances of the benchmark's own, which
are removed, however it ends. The fleet's time passes a thousand times as fast, so that its own time is next to none.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
import uuid
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.tests.local_dev.running import Running
from bench import memory_of
from figures import Figure, publish
from recovery import recoveries
from recovery import table as recovery_table
from tools import HERE, PLAYBOOKS, ROOT, Ansible, timed

INSTANCE = "bench"
STATE = ROOT / ".parity" / "instances" / INSTANCE / "compose"
# As many as the fleet has GPUs of all types together.
AT_ONCE = {"H100": 16, "A100": 8, "L40S": 8}
ALONE = 20
EVENTS, OF_INSTANCES = 10_000, 500
PATIENCE = 300.0
UP, LATENCY, MEMORY = 1.4, 3.0, 3.0
# The same steps by the same client, without a stream, a workflow or a database.
_DIRECT = """
import asyncio, ssl, sys, time, uuid
from pathlib import Path
from gpuaas.fleet.client import Fleet
from gpuaas.settings import ProvisioningSettings, read_settings
import os
async def main():
    its = read_settings(ProvisioningSettings, os.environ)
    token = Path("/run/secrets/gpuaas/fleet_token").read_text().strip()
    tls = ssl.create_default_context(cafile=its.ca_file)
    fleet = Fleet(f"https://{its.fleet_host}:{its.fleet_port}", token, tls)
    async def done(seen, there):
        while True:
            seen = await fleet.get(seen.reservation.id)
            if there(seen.reservation) and not seen.reservation.operation:
                return seen
            await asyncio.sleep(0.25)
    for instance in sys.argv[1:]:
        began = time.monotonic()
        seen = await fleet.reserve(uuid.UUID(instance), "H100", 1, uuid.uuid4().hex)
        await fleet.attach_storage(seen, 512, uuid.uuid4().hex)
        seen = await done(seen, lambda r: r.storage and r.storage.state == "attached")
        await fleet.start(seen, uuid.uuid4().hex)
        seen = await done(seen, lambda r: r.state == "running")
        await fleet.verify(seen, uuid.uuid4().hex)
        seen = await done(seen, lambda r: r.health)
        print(time.monotonic() - began)
        await fleet.release(seen)
        await done(seen, lambda r: r.state == "released")
    await fleet.close()
asyncio.run(main())
"""


def asked_directly(project: Running) -> list[float]:
    """Seconds that the fleet takes for the same steps, one instance after the other.

    Instances that are being provisioned are left alone by the worker, which gives back what nobody asked for.
    """
    instances = [str(uuid.uuid4()) for _one in range(ALONE)]
    rows = ", ".join(f"('{each}', 'bench', 'direct', 'H100', 1, 'provisioning', 'bench', now())" for each in instances)
    project.sql(f"INSERT INTO instances (id, project, name, gpu_type, gpu_count, state, created_by, created_at) VALUES {rows}")
    said = project.inside("provisioning", "/opt/gpuaas/bin/python", "-c", _DIRECT, *instances)
    return [float(line) for line in said.split()]


def ask(project: Running, gpu_type: str, run: str) -> None:
    """An instance and its event, in one transaction, as the API writes them."""
    instance = str(uuid.uuid4())
    project.sql(
        "WITH new AS (INSERT INTO instances (id, project, name, gpu_type, gpu_count, state, created_by, created_at)"
        f" VALUES ('{instance}', 'bench', '{run}', '{gpu_type}', 1, 'requested', 'bench', now()) RETURNING *)"
        " INSERT INTO outbox (event_type, instance_id, payload)"
        " SELECT 'instance.requested', id, json_build_object('instance', row_to_json(new)) FROM new"
    )


def release(project: Running, run: str) -> None:
    """Delete the instances of a run, and wait until nothing is held for them."""
    project.sql(
        f"WITH gone AS (UPDATE instances SET state = 'deleted', deleted_at = now() WHERE name = '{run}' RETURNING *)"
        " INSERT INTO outbox (event_type, instance_id, payload)"
        " SELECT 'instance.deleted', id, json_build_object('instance', row_to_json(gone)) FROM gone"
    )
    until(
        project,
        f"SELECT count(*) = (SELECT count(*) FROM instances WHERE name = '{run}') FROM outbox o JOIN instances i"
        f" ON i.id = o.instance_id WHERE i.name = '{run}' AND o.event_type = 'instance.released'",
    )


def until(project: Running, true: str) -> None:
    """Ask until it is true."""
    end = time.monotonic() + PATIENCE
    while not _holds(project, true):
        assert time.monotonic() < end, true


def _holds(project: Running, true: str) -> bool:
    try:
        return project.sql(true) == "t"
    except subprocess.SubprocessError:  # one of thousands of execs that the engine does not start
        return False


def alone(project: Running) -> list[float]:
    """Seconds from the request's transaction to that of the running state, one instance after the other."""
    times = []
    for _one in range(ALONE):
        run = f"alone-{uuid.uuid4().hex[:8]}"
        ask(project, "H100", run)
        until(project, f"SELECT EXISTS (SELECT FROM instances WHERE name = '{run}' AND state = 'running')")
        times.append(
            float(
                project.sql(
                    "SELECT extract(epoch FROM max(o.created_at) FILTER (WHERE event_type = 'instance.running') - min(o.created_at))"
                    f" FROM outbox o JOIN instances i ON i.id = o.instance_id WHERE i.name = '{run}'"
                )
            )
        )
        release(project, run)
    return times


def together(project: Running) -> float:
    """Instances that run in a second, when all that fit are asked for at once."""
    run = f"together-{uuid.uuid4().hex[:8]}"
    rows = ", ".join(f"(gen_random_uuid(), '{kind}')" for kind, count in AT_ONCE.items() for _n in range(count))
    project.sql(
        "WITH new AS (INSERT INTO instances (id, project, name, gpu_type, gpu_count, state, created_by, created_at)"
        f" SELECT id, 'bench', '{run}', kind, 1, 'requested', 'bench', now() FROM (VALUES {rows}) AS v (id, kind) RETURNING *)"
        " INSERT INTO outbox (event_type, instance_id, payload)"
        " SELECT 'instance.requested', id, json_build_object('instance', row_to_json(new)) FROM new"
    )
    until(project, f"SELECT count(*) = {sum(AT_ONCE.values())} FROM instances WHERE name = '{run}' AND state = 'running'")
    seconds = float(
        project.sql(
            "SELECT extract(epoch FROM max(o.created_at) - min(o.created_at)) FROM outbox o JOIN instances i ON i.id = o.instance_id"
            f" WHERE i.name = '{run}'"
        )
    )
    release(project, run)
    return sum(AT_ONCE.values()) / seconds


def relayed(project: Running) -> float:
    """Events a second from the outbox to the stream's disk, of deleted instances, so that nobody acts on them."""
    project.sql(
        "WITH new AS (INSERT INTO instances (id, project, name, gpu_type, gpu_count, state, created_by, created_at, deleted_at)"
        " SELECT gen_random_uuid(), 'bench', 'relayed', 'H100', 1, 'deleted', 'bench', now(), now()"
        f" FROM generate_series(1, {OF_INSTANCES}) RETURNING id)"
        " INSERT INTO outbox (event_type, instance_id, payload) SELECT 'instance.measured', id, '{}' FROM new,"
        f" generate_series(1, {EVENTS // OF_INSTANCES})"
    )
    until(project, "SELECT NOT EXISTS (SELECT FROM outbox WHERE event_type = 'instance.measured' AND published_at IS NULL)")
    seconds = float(
        project.sql("SELECT extract(epoch FROM max(published_at) - min(created_at)) FROM outbox WHERE event_type = 'instance.measured'")
    )
    return EVENTS / seconds


def starts(rounds: int) -> tuple[dict[str, list[float]], float]:
    """Seconds of ``up`` in kind by lane, with every image there; and the most GiB that lane async took.

    In turns, since a machine may grow slower.
    """
    platforms = {lane: Ansible("kind", (f"instance={INSTANCE}", f"parity_lane={lane}")) for lane in ("core", "async")}
    times: dict[str, list[float]] = {lane: [] for lane in platforms}
    memory = [0.0]
    # The first one of each builds.
    for number in range(rounds + 1):
        for lane, parity in platforms.items():
            took = timed(lambda parity=parity: parity(PLAYBOOKS / "up.yml"), 1)
            if lane == "async":
                memory += memory_of(f"gpuaas-parity-{INSTANCE}-control-plane").values()
            parity(PLAYBOOKS / "down.yml")
            if number:
                times[lane] += took
                print(f"up, lane {lane}: {took[0]:.1f} s", flush=True)
    return times, max(memory)


def measure(rounds: int) -> dict[str, Any]:
    """All figures of one run."""
    ups, memory = starts(rounds)
    parity = Ansible("compose", (f"instance={INSTANCE}", "parity_lane=async"))
    try:
        parity(PLAYBOOKS / "up.yml")
        project = Running.load(STATE)
        project.inside("gpu-fleet", "/opt/gpu-fleet/bin/gpu-fleet", "clock", "1000")
        seeds = "SELECT count(*) = 0 FROM instances WHERE state IN ('requested', 'provisioning')"
        until(project, seeds)
        names = project.sql("SELECT coalesce(string_agg(name, ' '), '') FROM instances WHERE state = 'running'").split()
        for name in names:
            release(project, name)
        direct = asked_directly(project)
        single = alone(project)
        rates = [together(project) for _round in range(rounds)]
        events = relayed(project)
        kills = recoveries(project, rounds)
        recovered = recovery_table(project, kills)
    finally:
        parity(PLAYBOOKS / "down.yml")
    figures = [
        Figure("up of lane async against lane core, kind", statistics.median(ups["async"]), statistics.median(ups["core"]), UP),
        Figure("memory of lane async / 3.0 GiB", memory, MEMORY, 1, "GiB"),
        Figure("accepted to running, p50, against the fleet asked directly", _share(single, 50), _share(direct, 50), LATENCY),
        Figure("accepted to running, p99", _share(single, 99), _share(direct, 99), LATENCY),
    ]
    table = [
        *map(str, figures),
        f"instances a second, {sum(AT_ONCE.values())} at once: {statistics.median(rates):.1f}",
        f"events a second from the outbox to the stream: {events:.0f}",
        *recovered,
    ]
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "ups": ups,
        "memory_gib": memory,
        "direct": direct,
        "single": single,
        "rates": rates,
        "events": events,
        "kills": kills,
        "figures": [asdict(figure) for figure in figures],
        "table": table,
    }


def _share(times: list[float], share: int) -> float:
    return statistics.quantiles(times, n=100, method="inclusive")[share - 1]


def main() -> int:
    """Measure and show."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured; the median counts")
    parser.add_argument("--output", type=Path, default=HERE / "results" / "flow.json", help="where the data go")
    options = parser.parse_args()
    publish(measure(options.rounds), options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
