"""How soon the flow goes on after a SIGKILL under load: until an instance that is asked for then runs, and its user is told so.

    .venv/bin/python tests/benchmarks/recovery.py --state-dir DIR [--rounds 3]

The platform is a Compose project of a lane that provisions, and up. Users create and delete instances meanwhile.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

from ansible_collections.gpuaas.parity.tests.flow.clients import Clients
from ansible_collections.gpuaas.parity.tests.flow.engine import kill
from ansible_collections.gpuaas.parity.tests.flow.plan import Fault
from ansible_collections.gpuaas.parity.tests.flow.seen import living
from ansible_collections.gpuaas.parity.tests.flow.target import target_of
from ansible_collections.gpuaas.parity.tests.local_dev.running import Running

AIM = 10.0
# Seconds between two calls of a user: a load that a busy machine of two cores bears, so that nothing waits for its turn.
LOAD = 4.0
PATIENCE = 120.0
NOTHING = "nothing"
# Running, or refused by a fleet whose GPUs the others hold: either way it came to its end.
_TOLD = "SELECT EXISTS (SELECT FROM timeline WHERE instance_id = '{instance}' AND type IN ('instance.running', 'instance.failed'))"


def recoveries(project: Running, rounds: int) -> dict[str, list[float]]:
    """Seconds for each component, and without any kill."""
    took: dict[str, list[float]] = {}
    with Clients(project.state_dir, "recovery", LOAD) as clients:
        _seconds_of_one(project, clients)
        for _round in range(rounds):
            for component in (NOTHING, *target_of(project).components):
                if component != NOTHING:
                    kill(project, Fault(0.0, "kill", component))
                took.setdefault(component, []).append(seconds := _seconds_of_one(project, clients))
                print(f"{component}: {seconds:.1f} s", flush=True)
                if component != NOTHING:
                    project.await_healthy(component)
    clients.leave(living(project, clients.run))
    return took


def table(project: Running, took: dict[str, list[float]]) -> list[str]:
    """A line for each; the aim is that of the workers."""
    workers = {each for each in target_of(project).clocks if each not in ("api", "web")}
    lines = []
    for component, seconds in took.items():
        verdict = ("held" if max(seconds) <= AIM else "MISSED") if component in workers else ""
        figures = f"{statistics.median(seconds):5.1f} s, at most {max(seconds):5.1f} s"
        lines.append(f"goes on after SIGKILL of {component:<14} {figures}  {f'<= {AIM:.0f} s  {verdict}' if verdict else ''}".rstrip())
    return lines


def _seconds_of_one(project: Running, clients: Clients) -> float:
    """From the first call to the entry in the timeline, asked for as a user does."""
    began = time.monotonic()
    instance = clients.request()
    while not _told(project, instance):
        assert time.monotonic() - began < PATIENCE, f"the flow has not gone on for {PATIENCE:.0f} s"
    seconds = time.monotonic() - began
    clients.leave([instance])
    return seconds


def _told(project: Running, instance: str) -> bool:
    try:
        return project.sql(_TOLD.replace("{instance}", instance)) == "t"
    except subprocess.SubprocessError:  # Postgres is the one that was killed
        return False


def main() -> int:
    """Measure and show."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state-dir", type=Path, required=True, help="the run's directory of the platform")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is killed")
    options = parser.parse_args()
    project = Running.load(options.state_dir)
    project.inside("gpu-fleet", "/opt/gpu-fleet/bin/gpu-fleet", "clock", "1000")
    print(*table(project, recoveries(project, options.rounds)), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
