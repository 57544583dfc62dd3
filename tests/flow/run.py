"""Users ask for instances while the platform is damaged; in the end nothing is lost, twice, stuck or held for nobody.

    .venv/bin/python tests/flow/run.py --state-dir DIR --seed SEED --record DIR [--seconds 45]
    .venv/bin/python tests/flow/run.py --state-dir DIR --plan FILE --record DIR

The platform is a Compose project of a lane that provisions, and up. The same seed makes the same plan; with 280 seconds and more it
has every kind of fault. Plan, history and outcome are kept in --record. The exit status is 0 when all is as it must be. When it is
not, halves of the plan are replayed, and the smallest that ends badly as well is kept as minimal.json, to be given to --plan.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.gpuaas.parity.tests.flow.clients import PACE, Clients
from ansible_collections.gpuaas.parity.tests.flow.damage import Damage, require
from ansible_collections.gpuaas.parity.tests.flow.plan import Fault, load, plan, save
from ansible_collections.gpuaas.parity.tests.flow.seen import Before, Seen, before, living, look
from ansible_collections.gpuaas.parity.tests.flow.shrink import smaller
from ansible_collections.gpuaas.parity.tests.flow.target import target_of
from ansible_collections.gpuaas.parity.tests.flow.verdict import violations
from ansible_collections.gpuaas.parity.tests.local_dev.running import Running

# Until everything has come to its end.
PATIENCE = 240.0


@dataclass(frozen=True)
class Trial:
    """A platform, what its users draw from, and where it is recorded."""

    state_dir: Path
    seed: str
    record: Path

    def end(self, faults: Sequence[Fault], name: str) -> list[str]:
        """Ask, damage, wait, judge; what is not as it must be. Plan, history and outcome are kept under ``name``."""
        project = Running.load(self.state_dir)
        save(self.record / f"{name}.json", self.seed, faults)
        # While somebody is away for minutes everything waits: users ask more slowly, so that it can be done in minutes.
        pace = PACE * max(1.0, max(fault.seconds for fault in faults) / 30)
        clients, began_with = Clients(self.state_dir, self.seed, pace), before(project)
        try:
            with clients:
                Damage(project, target_of(project)).make(faults)
                # On a busy machine it may be that nothing ran for long enough to be stopped, while things were broken.
                clients.tried.wait(PATIENCE)
            began = time.monotonic()
            seen = _at_rest(self.state_dir, clients.run, began_with)
            wrong = violations(clients.history, seen, clients.told(seen.instances))
            said = _account(faults, clients, seen, time.monotonic() - began)
            print(said)
            _write(self.record / f"{name}-outcome.json", {"account": said, "violations": wrong})
        finally:
            _write(self.record / f"{name}-history.json", clients.lines())
            clients.leave(living(project, clients.run))
        return wrong


def main() -> int:
    """Make a plan, or read one, and see how it ends."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state-dir", type=Path, required=True, help="the run's directory of the platform")
    wanted = parser.add_mutually_exclusive_group(required=True)
    wanted.add_argument("--seed", help="what the plan is drawn from")
    wanted.add_argument("--plan", type=Path, help="a plan that was kept")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long faults of a seed are made")
    parser.add_argument("--record", type=Path, required=True, help="where plan, history and outcome are written")
    options = parser.parse_args()
    if options.plan:
        seed, faults = load(options.plan)
    else:
        seed, faults = options.seed, plan(options.seed, target_of(Running.load(options.state_dir)), options.seconds)
    try:
        require(faults)
    except LookupError as error:
        parser.error(str(error))
    options.record.mkdir(parents=True, exist_ok=True)
    trial = Trial(options.state_dir, seed, options.record)
    wrong = trial.end(faults, "plan")
    if not wrong:
        return 0
    print(*wrong[:20], f"seed {seed}; plan, history and outcome are in {options.record}", sep="\n", file=sys.stderr)
    left = smaller(faults, lambda half: bool(trial.end(half, "half")))
    save(options.record / "minimal.json", seed, left)
    print(f"{len(left)} of {len(faults)} faults are enough: --plan {options.record / 'minimal.json'}", file=sys.stderr)
    return 1


def _at_rest(state_dir: Path, run: str, began_with: Before) -> Seen:
    """What is seen when all is at rest, or at the end of patience."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            seen = look(Running.load(state_dir), run, began_with)
            if seen.at_rest or time.monotonic() > end:
                return seen
        except subprocess.SubprocessError:
            if time.monotonic() > end:
                raise


def _account(faults: Sequence[Fault], clients: Clients, seen: Seen, seconds: float) -> str:
    """All that was counted, in a few lines."""
    answers = Counter(each.answer for each in clients.history if not each.acknowledged)
    states = Counter(each.state for each in seen.instances.values())
    return (
        f"{len(faults)} faults: {_words(Counter(fault.done for fault in faults))}\n"
        f"{sum(each.acknowledged for each in clients.history)} calls acknowledged, not: {_words(answers)};"
        f" {len(seen.instances)} instances: {_words(states)}; {sum(len(each.events) for each in seen.instances.values())} events,"
        f" {len(seen.ledger)} effects; at rest after {seconds:.0f} s"
    )


def _words(counts: Counter[str]) -> str:
    return ", ".join(f"{count} x {what}" for what, count in counts.most_common()) or "none"


def _write(file: Path, document: object) -> None:
    file.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
