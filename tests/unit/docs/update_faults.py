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
}


def table() -> str:
    """A row for each fault."""
    faults = yaml.safe_load((CHECKOUT / "tests" / "faults" / "faults.yml").read_text(encoding="utf-8"))["faults"]
    rows = ["| fault | done with | `validate` says |", "|---|---|---|"]
    for fault in faults:
        (module,) = fault.keys() & DONE_BY.keys()
        rows.append(f"| {fault['name']} | {DONE_BY[module]} | {' or '.join(f'`{reason}`' for reason in fault['seen'])} |")
    return "\n".join(rows)


if __name__ == "__main__":
    sys.exit(update(CHECKOUT / "docs" / "faults.md", {"faults": table()}))
