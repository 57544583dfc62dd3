"""Users ask for instances while everything is killed in turn; in the end nothing is lost, twice, stuck or held for nobody.

    .venv/bin/python tests/flow/run.py --state-dir DIR --seed SEED --record DIR

The platform is a Compose project of a lane that provisions, and up. Plan and history are kept in --record. The exit status
is 0 when all is as it must be; the same seed makes the same plan.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from ansible_collections.gpuaas.parity.tests.flow.clients import Clients
from ansible_collections.gpuaas.parity.tests.flow.damage import damage
from ansible_collections.gpuaas.parity.tests.flow.plan import plan
from ansible_collections.gpuaas.parity.tests.flow.seen import Seen, look
from ansible_collections.gpuaas.parity.tests.flow.verdict import violations
from ansible_collections.gpuaas.parity.tests.local_dev.running import Running

# Until everything has come to its end.
PATIENCE = 240.0


def main() -> int:
    """Ask, damage, wait, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state-dir", type=Path, required=True, help="the run's directory of the platform")
    parser.add_argument("--seed", required=True, help="what the plan is drawn from")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long faults are made")
    parser.add_argument("--record", type=Path, required=True, help="where plan and history are written")
    options = parser.parse_args()
    project = Running.load(options.state_dir)
    lasting = sorted(name for name, its in project.containers.items() if its["State"]["Running"] and name != "secrets")
    faults = plan(options.seed, lasting, options.seconds)
    options.record.mkdir(parents=True, exist_ok=True)
    _write(options.record / "plan.json", [asdict(fault) for fault in faults])
    with Clients(options.state_dir, options.seed) as clients:
        damage(project, faults)
        # On a busy machine it may be that nothing ran for long enough to be stopped, while things were broken.
        clients.tried.wait(PATIENCE)
    _write(options.record / "history.json", clients.lines())
    began = time.monotonic()
    seen = _at_rest(options.state_dir, clients.run)
    wrong = violations(clients.history, seen)
    answers = Counter(each.answer for each in clients.history if not each.acknowledged)
    states = Counter(each.state for each in seen.instances.values())
    print(
        f"{len(faults)} faults; {sum(e.acknowledged for e in clients.history)} calls acknowledged, not: {_words(answers)};"
        f" {len(seen.instances)} instances: {_words(states)}; {sum(len(e.events) for e in seen.instances.values())} events,"
        f" {len(seen.ledger)} effects; at rest after {time.monotonic() - began:.0f} s"
    )
    if wrong:
        print(*wrong[:20], f"seed {options.seed}; plan and history are in {options.record}", sep="\n", file=sys.stderr)
    return 1 if wrong else 0


def _at_rest(state_dir: Path, run: str) -> Seen:
    """What is seen when all is at rest, or at the end of patience."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            seen = look(Running.load(state_dir), run)
            if seen.at_rest or time.monotonic() > end:
                return seen
        except subprocess.CalledProcessError:
            if time.monotonic() > end:
                raise


def _words(counts: Counter[str]) -> str:
    return ", ".join(f"{count} x {what}" for what, count in counts.most_common()) or "none"


def _write(file: Path, document: object) -> None:
    file.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
