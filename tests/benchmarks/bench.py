"""The figures of the core lane, each as a ratio to a plain script in the same run.

    .venv/bin/python tests/benchmarks/bench.py [--rounds 3] [--together] [--output FILE]

Nothing is judged: a figure that is over its aim is shown as such. Clusters,
networks and folders of the benchmark have names of their own and are removed,
however it ends. No other platform may be up, which would slow both: `make kind-parity-down`.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from figures import Figure, publish
from plain import KIND_NETWORK, Plain, built
from tools import HERE, PLAYBOOKS, ROOT, Ansible, Failed, Watch, run

PLAIN, INSTANCE = "gpuaas-bench-plain", "bench"
PARITY = f"gpuaas-parity-{INSTANCE}"
WORK = ROOT / ".cache" / "bench"
STATE = WORK / "parity"
UNITS = {"B": 1, "kB": 1e3, "KiB": 2**10, "MB": 1e6, "MiB": 2**20, "GB": 1e9, "GiB": 2**30}


def memory_of(node: str) -> dict[str, float]:
    """GiB of a node: what Docker calls used (without the inactive file cache), and the share of all processes."""
    used = run("docker", "stats", "--no-stream", "--format", "{{.MemUsage}}", node).split("/")[0].strip()
    number, unit = re.findall(r"([\d.]+)\s*([A-Za-z]+)", used)[0]
    script = "cat /proc/[0-9]*/smaps_rollup 2>/dev/null | awk '/^Pss:/ {kib += $2} END {print kib + 0}'"
    share = run("docker", "exec", node, "sh", "-c", script)
    return {"working_set": float(number) * UNITS[unit] / 2**30, "pss": float(share) / 2**20}


def refuse_if_busy() -> None:
    """A platform that is up takes its share of the machine; it is not ours to take down."""
    names = run("docker", "ps", "--format", "{{.Names}}").split()
    busy = [name for name in names if name.endswith("-control-plane")]
    if busy:
        raise Failed(f"{', '.join(busy)} is running, and the figures need the machine: make kind-parity-down")


@contextmanager
def workspace(extra: Sequence[str], plain: Plain) -> Iterator[None]:
    """An empty folder before; no trace of either cluster after."""
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(mode=0o700, parents=True)
    had_network = KIND_NETWORK in run("docker", "network", "ls", "--format", "{{.Name}}").split()
    try:
        yield
    finally:
        on_kind(STATE, extra)(PLAYBOOKS / "down.yml")
        if (plain.state_dir / "bench.json").exists():
            plain.down()
        if not had_network:
            run("docker", "network", "rm", KIND_NETWORK, check=False)
        shutil.rmtree(WORK)


def on_kind(state_dir: Path, extra: Sequence[str]) -> Ansible:
    """Playbooks of an instance of mode kind, with a state directory of the benchmark's own."""
    return Ansible("kind", (f"instance={INSTANCE}", "parity_lane=core", f"parity_state_dir={state_dir}", *extra))


@dataclass
class Rounds:
    """Seconds by what was timed, one for each round; and what only needs to be seen once in each."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    plain: list[dict[str, float]] = field(default_factory=list)
    memory: list[dict[str, float]] = field(default_factory=list)
    steps: int = 0
    changed: int = 0

    def middle(self, what: str) -> float:
        return statistics.median(self.seconds[what])


def plain_round(found: Rounds, plain: Plain) -> None:
    """The plain script from no cluster, and its removal."""
    print("plain script", flush=True)
    script = plain.up()
    found.plain.append(script.steps)
    found.seconds["plain script"].append(script.total)
    watch = Watch()
    with watch.step("kind delete cluster"):
        plain.down()
    found.seconds["kind delete cluster"].append(watch.total)


def parity_round(found: Rounds, parity: Ansible, plain: Plain) -> None:
    """The product from no cluster, again on what stands beside what that is measured against, and its removal."""
    print("gpuaas.parity", flush=True)
    watch = Watch()
    kubeconfig = f"--kubeconfig={STATE / 'kubeconfig'}"

    def apply() -> None:
        text = "\n---\n".join(built(STATE / "rendered" / role) for role in plain.roles)
        arguments = ("apply", "--server-side", "--force-conflicts", "--field-manager=gpuaas.parity", "--filename=-")
        run(Path(sys.executable).parent / "kubectl", kubeconfig, *arguments, input=text)

    with watch.step("up, no cluster"):
        parity(PLAYBOOKS / "up.yml")
    found.memory.append(memory_of(f"{PARITY}-control-plane"))
    found.steps, changed = parity.counted(PLAYBOOKS / "up.yml")
    found.changed = max(found.changed, changed)
    with watch.step("up, all up"):
        parity(PLAYBOOKS / "up.yml")
    with watch.step("server-side apply"):
        apply()
    with watch.step("Ansible start-up"):
        parity(HERE / "empty.yml")
    with watch.step("down"):
        parity(PLAYBOOKS / "down.yml")
    for what, seconds in watch.steps.items():
        found.seconds[what].append(seconds)


def measure(rounds: int, extra: Sequence[str], plain: Plain) -> dict[str, Any]:
    """All figures of one run.

    In turns, and the first one changes: a machine that is busy for minutes may grow slower, and neither side shall
    have the better of it.
    """
    parity = on_kind(STATE, extra)
    print("prepare: images, rendering, secrets (not timed)", flush=True)
    on_kind(plain.state_dir, extra)(HERE / "prepare.yml")
    plain.write_inputs()
    found = Rounds()
    turns = (lambda: plain_round(found, plain), lambda: parity_round(found, parity, plain))
    for number in range(rounds):
        for turn in turns if number % 2 == 0 else turns[::-1]:
            # What the other wrote is on the disk before this one is timed.
            os.sync()
            turn()

    beside = found.middle("server-side apply") + found.middle("Ansible start-up")
    memory = max(max(one.values()) for one in found.memory)
    figures = [
        Figure("up, images built, no cluster / plain script", found.middle("up, no cluster"), found.middle("plain script"), 1 / 3),
        Figure("up, all up / server-side apply + Ansible start-up", found.middle("up, all up"), beside, 1.5),
        Figure("up, all up: steps / 12", found.steps, 12, 1, ""),
        Figure("up, all up: changes + 1 / 1", found.changed + 1, 1, 1, ""),
        Figure("down / kind delete cluster", found.middle("down"), found.middle("kind delete cluster"), 1.3),
        Figure("memory of the lane / 2.5 GiB", memory, 2.5, 1, "GiB"),
    ]
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cpus": os.cpu_count(), "load": os.getloadavg()},
        "plain": found.plain,
        "rounds": found.seconds,
        "memory_gib": found.memory,
        "figures": [{**asdict(figure), "ratio": figure.ratio} for figure in figures],
        "table": [str(figure) for figure in figures],
    }


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of both sides; the median counts (3)")
    parser.add_argument("--together", action="store_true", help="the plain script loads all images with one call")
    parser.add_argument("--output", type=Path, default=ROOT / ".cache" / "bench.json", help="where the data goes")
    parser.add_argument("-e", dest="extra", action="append", default=[], help="an extra variable for the playbooks")
    options = parser.parse_args()
    plain = Plain(PLAIN, WORK / "plain", options.together)
    try:
        refuse_if_busy()
        with workspace(options.extra, plain):
            result = measure(options.rounds, options.extra, plain)
    except Failed as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    publish(result, options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
