# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of several logs in the order of time.

``docker logs`` and ``kubectl logs``, both with ``--timestamps``, begin each line with its time in RFC 3339. What has none, such
as a message of the program itself, keeps its place after the line before it.
"""

from __future__ import annotations

import datetime
import heapq
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_STAMPED = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d) ?(.*)", re.DOTALL)
Time = tuple[float, int]
"""Seconds since the epoch, and nanoseconds."""
# ansible-test checks module_utils for Python 3.9, on which no module of this collection runs.
_Timed = Time | None  # pylint: disable=unsupported-binary-operation
Line = tuple[str, str]
"""A component, and what it says."""


def split(line: str) -> tuple[_Timed, str]:
    """A line's time and its text; None where it has no time."""
    found = _STAMPED.fullmatch(line)
    if found is None:
        return None, line
    second, fraction, zone, text = found.groups()
    at = datetime.datetime.fromisoformat(second + ("+00:00" if zone == "Z" else zone)).timestamp()
    return (at, int((fraction or "0").ljust(9, "0"))), text


@dataclass(order=True)
class _Held:
    at: Time
    number: int
    arrived: float = field(compare=False)
    what: Line = field(compare=False)


class InOrder:
    """Holds lines of several logs back, to give them in order. A log is known by any hashable name."""

    def __init__(self) -> None:
        self._held: list[_Held] = []
        self._last: dict[object, Time] = {}
        self._numbers = itertools.count()

    def add(self, log: object, at: _Timed, arrived: float, what: Line) -> None:
        """Hold ``what``, a line of ``log`` that was written at ``at`` and came at ``arrived``."""
        self._last[log] = at or self._last.get(log, (0.0, 0))
        heapq.heappush(self._held, _Held(self._last[log], next(self._numbers), arrived, what))

    def take(self, until: float) -> Iterator[Line]:
        """What is held, in order, as long as the next came at ``until`` or before."""
        while self._held and self._held[0].arrived <= until:
            yield heapq.heappop(self._held).what
