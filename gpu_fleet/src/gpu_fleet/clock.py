"""The fleet's time: seconds that pass ``speed`` times as fast as those on the wall, also while no process runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

type Wall = Callable[[], float]


def steady() -> Wall:
    """Seconds since 1970 as of now, and from here on as they pass: nobody who sets the machine's clock moves them."""
    began, mark = time.time(), time.monotonic()
    return lambda: began + time.monotonic() - mark


@dataclass(frozen=True, slots=True)
class Clock:
    """At ``wall``, seconds since 1970, it was ``fleet``; times before that are the same moment."""

    wall: float
    fleet: float
    speed: float

    def at(self, wall: float) -> float:
        """The fleet's time at a time on the wall. Never less than when the clock was set."""
        return self.fleet + max(0.0, wall - self.wall) * self.speed

    def on_the_wall(self, fleet: float) -> float:
        """The other way."""
        return self.wall + max(0.0, fleet - self.fleet) / self.speed

    def paced(self, speed: float, wall: float) -> Clock:
        """From ``wall`` on it goes at ``speed``."""
        return Clock(max(wall, self.wall), self.at(wall), speed)


def shown(wall: float) -> datetime:
    """Seconds since 1970 as a time."""
    return datetime.fromtimestamp(wall, UTC)
