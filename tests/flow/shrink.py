"""From a plan that ends badly to a smaller one that does as well, by replaying halves of it.

What happens between processes is not the same twice, so a half that ends well proves nothing: what is left is the smallest plan
that was seen to end badly, not the smallest that can.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from .plan import PACE, Fault


def smaller(faults: Sequence[Fault], ends_badly: Callable[[list[Fault]], bool]) -> list[Fault]:
    """The smallest plan that was seen to end badly; ``faults`` itself when neither of its halves does."""
    left = list(faults)
    while len(left) > 1:
        middle = len(left) // 2
        for half in (_from_the_start(left[:middle]), _from_the_start(left[middle:])):
            if ends_badly(half):
                left = half
                break
        else:
            return left
    return left


def _from_the_start(faults: list[Fault]) -> list[Fault]:
    """The same faults with the same times between them, the first one soon."""
    earlier = faults[0].at - PACE
    return [replace(fault, at=fault.at - earlier) for fault in faults]
