"""Times and durations as pages say them."""

from __future__ import annotations

from datetime import datetime

_UNITS = (("d", 86400), ("h", 3600), ("min", 60))


def duration(seconds: float) -> str:
    """In the largest unit of which there is a whole one."""
    for unit, length in _UNITS:
        if seconds >= length:
            return f"{seconds // length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def at(time: datetime) -> str:
    """A moment, to the second."""
    return time.strftime("%d %b %Y, %H:%M:%S UTC")
