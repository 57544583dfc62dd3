# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the table of docs/faults.md from tests/faults/faults.yml.

.venv/bin/python tests/unit/docs/update_faults.py [--check]

With --check nothing is written; the exit status says whether the table is current.
"""

from __future__ import annotations

import sys
from pathlib import Path

import yaml
from tables import update

CHECKOUT = Path(__file__).resolve().parents[3]
DONE_BY = {
    "k8s": "kubernetes.core.k8s",
    "k8s_exec": "kubernetes.core.k8s_exec",
    "docker_container": "community.docker.docker_container",
    "docker_container_exec": "community.docker.docker_container_exec",
    "docker_compose_v2": "community.docker.docker_compose_v2",
}


def table(target: str) -> str:
    """A row for each fault of a target; of what is done to each container of a project, one for each way."""
    known = yaml.safe_load((CHECKOUT / "tests" / "faults" / "faults.yml").read_text(encoding="utf-8"))
    faults = list(known["faults"][target])
    if target == "compose":
        each = {"docker_container": {}, "seen": ["WORKLOAD_NOT_READY"]}
        faults += [{"name": f"one container, each in turn, is {how}", **each} for how in known["faults_of_each"]]
    rows = ["| fault | done with | `validate` says |", "|---|---|---|"]
    for fault in faults:
        (module,) = fault.keys() & DONE_BY.keys()
        rows.append(f"| {fault['name']} | {DONE_BY[module]} | {' or '.join(f'`{reason}`' for reason in fault['seen'])} |")
    return "\n".join(rows)


if __name__ == "__main__":
    sys.exit(update(CHECKOUT / "docs" / "faults.md", {target: table(target) for target in ("kubernetes", "compose")}))
