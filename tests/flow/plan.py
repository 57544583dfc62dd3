"""What is done to the platform while users ask for instances: drawn from a seed, kept in a file, made again from either."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from .target import Target

# Seconds between two faults. A component that was killed is back before the next one goes.
PACE = 5.0
# How long each lasts. A pause is longer than a lost connection takes to be noticed, a skewed clock long enough to work with.
PAUSE, PARTITION, SLOW, FULL, AWAY, SKEW = 4.0, 6.0, 8.0, 8.0, 10.0, 15.0
# How far a clock is wrong: by more than any leeway, by less than a token lives, so that some calls are still answered.
MINUTES = 3
# JetStream knows an event's id for two minutes; who is away for longer has to be told twice without it.
OUTAGE, LEAST_FOR_OUTAGE = 130.0, 280.0
FLEET = (
    {"kind": "reply_lost", "how": "closed", "times": 3},
    {"kind": "reply_lost", "how": "unavailable", "times": 3},
    {"kind": "reply_lost", "how": "garbled", "times": 2},
    {"kind": "capacity_gone", "times": 2},
    {"kind": "workload_crash", "times": 1},
)
# Who is killed in the middle of something rather than at any moment.
_IN_THE_MIDDLE = {"postgres": "kill in transaction", "temporal": "kill in workflow"}

type To = str | dict[str, object]


@dataclass(frozen=True)
class Fault:
    """``done`` is one of ``damage.KINDS``; ``to`` a component, or what more there is to say; undone after ``seconds``."""

    at: float
    done: str
    to: To
    seconds: float = 0.0

    @property
    def words(self) -> str:
        """Who is struck, in a line."""
        return self.to if isinstance(self.to, str) else json.dumps(self.to)


def plan(seed: str, target: Target, seconds: float) -> list[Fault]:
    """Faults for so many seconds. Each component is killed once before one is struck twice.

    A plan that is long enough ends with NATS away for longer than its duplicate window.
    """
    draw = random.Random(seed)
    outage = [Fault(seconds - OUTAGE, "away", "nats", OUTAGE)] if seconds >= LEAST_FOR_OUTAGE else []
    until = outage[0].at - PACE if outage else seconds
    faults, queue = [], list[tuple[str, To, float]]()
    for number in range(1, int(until / PACE) + 1):
        queue = queue or _all(draw, target)
        done, to, lasts = queue.pop()
        at = number * PACE
        faults.append(Fault(at, done, to, min(lasts, until + PACE - at)))
    return faults + outage


def _all(draw: random.Random, target: Target) -> list[tuple[str, To, float]]:
    """Each kind of fault, in some order."""
    found = [*_kills(target.components)]
    found += [("pause", draw.choice(target.components), PAUSE), ("slow", draw.choice(target.components), SLOW)]
    found += [("fleet", dict(fault), 0.0) for fault in draw.sample(FLEET, 2)]
    for caller, called in draw.sample(target.calls, 2):
        found.append(("partition", {"of": caller, "from": called}, PARTITION))
    ours = [each for each in target.clocks if each != "api"]
    for skewed, minutes in (("api", MINUTES), (draw.choice(ours), draw.choice((-MINUTES, MINUTES)))):
        found.append(("skew", {"of": skewed, "minutes": minutes}, SKEW))
    found += [("full", "nats", FULL), ("away", "keycloak", AWAY), ("power", "everything", 0.0)]
    draw.shuffle(found)
    return found


def _kills(components: Sequence[str]) -> Iterator[tuple[str, To, float]]:
    for each in components:
        yield _IN_THE_MIDDLE.get(each, "kill"), each, 0.0


def save(file: Path, seed: str, faults: Sequence[Fault]) -> None:
    """Keep a plan, and the seed that users draw from."""
    document = {"seed": seed, "faults": [asdict(fault) for fault in faults]}
    file.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def load(file: Path) -> tuple[str, list[Fault]]:
    """The seed and the faults of a plan that was kept."""
    document = json.loads(file.read_text(encoding="utf-8"))
    return document["seed"], [Fault(**fault) for fault in document["faults"]]
