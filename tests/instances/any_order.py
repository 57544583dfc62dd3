"""Start the workloads of a cluster from nothing in an order drawn from a seed; half of them run for a while before the others.

Nobody may crash for what is missing, and the status names that and nobody who waits for it.

.venv/bin/python tests/instances/any_order.py STATE_DIR SEED
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.causes import needed_by
from ansible_collections.gpuaas.parity.plugins.module_utils._status.gather import Place, gather

Row = dict[str, Any]
# Seconds that the first half runs without the others: longer than any of them waits before it looks again.
ALONE = 15
PATIENCE = 180.0


class Cluster:
    """The workloads that keep running, apart from those of Kubernetes itself, by component."""

    def __init__(self, state_dir: Path) -> None:
        self.contract: dict[str, Any] = json.loads((state_dir / "rendered" / "contract.json").read_text(encoding="utf-8"))
        self._place = Place(self.contract["cluster"], state_dir, state_dir / "kubeconfig")
        self._kubectl = [str(Path(sys.executable).parent / "kubectl"), f"--kubeconfig={state_dir / 'kubeconfig'}"]
        lasting = {name: one for name, one in self.contract["services"].items() if one["namespace"] != "kube-system"}
        self.workloads = {name: one for name, one in lasting.items() if not one["workload"].startswith("job/")}

    def scale(self, names: Sequence[str], to: int | None = None) -> None:
        """To nothing, or to what the contract says."""
        for name in names:
            one = self.workloads[name]
            replicas = one["replicas"] if to is None else to
            argv = [*self._kubectl, "scale", one["workload"], f"--namespace={one['namespace']}", f"--replicas={replicas}"]
            subprocess.run(argv, check=True, timeout=PATIENCE, stdout=subprocess.DEVNULL)

    def rows(self) -> dict[str, Row]:
        """What the status says of each."""
        return {row["name"]: row for row in gather(self._place)["components"] if row["name"] in self.workloads}

    def until(self, holds: Callable[[dict[str, Row]], bool]) -> dict[str, Row]:
        """The first look at which that holds. Raises SystemExit when it does not in time."""
        end = time.monotonic() + PATIENCE
        while not holds(found := self.rows()):
            if time.monotonic() > end:
                raise SystemExit(f"any order: {json.dumps(found, indent=1)}")
        return found


def main(directory: str, seed: str) -> int:
    """0 when everything came up, nothing crashed, and the status was right meanwhile."""
    cluster = Cluster(Path(directory))
    order = sorted(cluster.workloads)
    random.Random(seed).shuffle(order)
    early, late = order[: len(order) // 2], order[len(order) // 2 :]

    cluster.scale(order, to=0)
    cluster.until(lambda rows: all(row["age_seconds"] == row["ready"] == 0 for row in rows.values()))
    cluster.scale(early)
    print(f"any order: first {', '.join(early)}", flush=True)
    missing = {name: needed_by(cluster.contract["services"], name).intersection(late) for name in early}
    rows = cluster.until(
        lambda rows: all(rows[name]["age_seconds"] >= ALONE and (missing[name] or not rows[name]["blocker"]) for name in early)
    )
    for name in early:
        # Not everybody is kept from being ready by what it needs.
        waits_for = set(rows[name]["waits_for"])
        assert waits_for <= missing[name], (rows[name], missing[name])
        assert waits_for or not rows[name]["blocker"], rows[name]
    for name in late:
        assert rows[name]["blocker"], rows[name]
        assert not rows[name]["waits_for"], rows[name]

    cluster.scale(late)
    print(f"any order: then {', '.join(late)}", flush=True)
    rows = cluster.until(lambda rows: not any(row["blocker"] for row in rows.values()))
    crashed = {name: row["restarts"] for name, row in rows.items() if row["restarts"]}
    print(f"any order: all ready, restarts {crashed or 'none'}")
    return 1 if crashed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
