"""What is done to the platform while users ask for instances: drawn from a seed, so that a plan can be made again."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

# Seconds between two faults. A component that was killed is back before the next one goes.
PACE = 5.0
# How long a component stands still. Longer than a lost connection takes to be noticed, shorter than a token lives.
PAUSE = 4.0
FLEET = (
    {"kind": "reply_lost", "how": "closed", "times": 3},
    {"kind": "reply_lost", "how": "unavailable", "times": 3},
    {"kind": "reply_lost", "how": "garbled", "times": 2},
    {"kind": "capacity_gone", "times": 2},
    {"kind": "workload_crash", "times": 1},
)


@dataclass(frozen=True)
class Fault:
    """``done`` is ``kill``, ``pause`` or ``fleet``; ``to`` a component, or a fault of the fleet's own."""

    at: float
    done: str
    to: str | dict[str, object]


def plan(seed: str, components: Sequence[str], seconds: float) -> list[Fault]:
    """Faults for so many seconds. Each component is killed once before one is struck twice."""
    draw = random.Random(seed)
    queue: list[tuple[str, str | dict[str, object]]] = []
    faults = []
    for number in range(1, int(seconds / PACE) + 1):
        if not queue:
            queue = [("kill", each) for each in components] + [("pause", draw.choice(list(components)))]
            queue += [("fleet", dict(draw.choice(FLEET))), ("fleet", dict(draw.choice(FLEET)))]
            draw.shuffle(queue)
        done, to = queue.pop()
        faults.append(Fault(number * PACE, done, to))
    return faults
