"""The figures of a platform in trouble: how soon it is back after a power cut, and what a flood leaves to a user.

    .venv/bin/python tests/benchmarks/storm.py [--rounds 3] [--output FILE]

Nothing is judged: a figure that is over its aim is shown as such. The cluster is an instance of the benchmark's own, which is
removed, however it ends. Strangers, user and platform share the cores of this machine, so what the strangers' own program
takes of them is shown as well.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.users import bearer
from ansible_collections.gpuaas.parity.plugins.module_utils._net import loopback
from ansible_collections.gpuaas.parity.tests.writes.user import User
from figures import Figure, publish
from tools import BIN, HERE, PLAYBOOKS, ROOT, Ansible, Failed, run, timed

INSTANCE = "bench"
NODE = f"gpuaas-parity-{INSTANCE}-control-plane"
STATE = ROOT / ".parity" / "instances" / INSTANCE / "kind"
CONNECTIONS, SECONDS, CALM = 200, 30.0, 15.0
# Below what a user may make in a minute.
PER_SECOND = 8
RECOVERY, LATENCY = 20.0, 0.5


def restarts() -> int:
    """Of all containers of the cluster together."""
    path = "jsonpath={.items[*].status.containerStatuses[*].restartCount}"
    said = run(BIN / "kubectl", f"--kubeconfig={STATE / 'kubeconfig'}", "get", "pods", "--all-namespaces", "--output", path)
    return sum(map(int, said.split()))


def busy() -> float:
    """Seconds of processor that this machine has spent, of all cores (proc_stat(5)); idle and waiting for disks left out."""
    fields = [int(part) for part in Path("/proc/stat").read_text(encoding="utf-8").split("\n", 1)[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


def user(seconds: float) -> tuple[list[float], list[str]]:
    """How long a logged-in user waits for each answer, over one connection, as a browser has; and what was no 200."""
    url = f"{json.loads((STATE / 'rendered' / 'contract.json').read_text(encoding='utf-8'))['endpoints']['api']['url']}/v1/instances"
    alice, times, wrong = User(STATE), [], []
    with loopback.client(STATE / "tls" / "ca.crt", timeout=30) as http:
        carried = bearer(alice.token())
        end, due = time.monotonic() + seconds, time.monotonic()
        while due < end:
            time.sleep(max(0.0, due - time.monotonic()))
            began = time.monotonic()
            status = http.get(url, headers=carried).status_code
            times.append(time.monotonic() - began)
            if status != 200:
                wrong.append(str(status))
            # Who is answered late asks late: a person does not catch up.
            due = max(began + 1 / PER_SECOND, time.monotonic())
    return times, wrong


def flooded() -> dict[str, Any]:
    """A user's times before and during the flood; what the strangers got, and what all of it took."""
    calm, _wrong = user(CALM)
    ends = json.loads((STATE / "rendered" / "contract.json").read_text(encoding="utf-8"))["endpoints"].values()
    urls = [f"{end['url']}{end['health']}" for end in ends]
    before, spent = restarts(), busy()
    argv = [
        sys.executable,
        HERE / "flood.py",
        f"--ca={STATE / 'tls' / 'ca.crt'}",
        f"--connections={CONNECTIONS}",
        f"--seconds={SECONDS}",
        *urls,
    ]
    with subprocess.Popen([str(part) for part in argv], stdout=subprocess.PIPE, text=True) as strangers:
        times, wrong = user(SECONDS)
        said, _none = strangers.communicate(timeout=120)
    return {
        "calm": calm,
        "flood": times,
        "not_200": wrong,
        "strangers": json.loads(said),
        "busy_seconds": busy() - spent,
        "restarts": restarts() - before,
    }


def percentile(times: list[float], share: int) -> float:
    return statistics.quantiles(times, n=100, method="inclusive")[share - 1]


def measure(rounds: int) -> dict[str, Any]:
    """All figures of one run."""
    parity = Ansible("kind", (f"instance={INSTANCE}", "parity_lane=core"))
    print("up (not timed)", flush=True)
    try:
        parity(PLAYBOOKS / "up.yml")
        storm = flooded()
        ups, back = timed(lambda: parity(PLAYBOOKS / "up.yml"), rounds), []
        for _round in range(rounds):
            run("docker", "kill", NODE)
            back += timed(lambda: parity(PLAYBOOKS / "up.yml"), 1)
        parity(PLAYBOOKS / "validate.yml")
    finally:
        parity(PLAYBOOKS / "down.yml")
    p99 = percentile(storm["flood"], 99)
    figures = [
        Figure("up after docker kill of the node / 20 s", statistics.median(back), RECOVERY, 1),
        Figure("up after docker kill of the node / up, all up", statistics.median(back), statistics.median(ups), 5),
        Figure("p99 of a user in a flood / 500 ms", p99, LATENCY, 1),
        Figure("p50 of a user in a flood / p50 without", percentile(storm["flood"], 50), percentile(storm["calm"], 50), 5),
        Figure("restarts in a flood + 1 / 1", storm["restarts"] + 1, 1, 1, ""),
    ]
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cpus": os.cpu_count(), "load": os.getloadavg()},
        "rounds": {"up": ups, "back": back},
        "storm": storm,
        "figures": [{**asdict(figure), "ratio": figure.ratio} for figure in figures],
        "table": [
            *map(str, figures),
            f"strangers, {CONNECTIONS} connections for {SECONDS:.0f} s: {storm['strangers']['counts']}",
            f"processor: {storm['busy_seconds']:.0f} s in all, {storm['strangers']['processor_seconds']:.0f} s of it the strangers' own;"
            f" a user's answers other than 200: {storm['not_200'] or 'none'}",
        ],
    }


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="power cuts; the median counts (3)")
    parser.add_argument("--output", type=Path, default=ROOT / ".cache" / "bench-storm.json", help="where the data goes")
    options = parser.parse_args()
    try:
        result = measure(options.rounds)
    except Failed as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    publish(result, options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
