"""How a project stands, as a piece of a page: written once a second for everybody who looks at that project."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from gpuaas.web import rendering
from gpuaas.web.words import at, duration

type Overview = dict[str, Any]

REMEMBERED_SECONDS = 1.0
_REMEMBERED = 256
# What the server that answers can read, in a sentence, by its security mode.
READS = {
    "LOCAL": "What a member of a project is shown, the server can open too, where it holds a member's key.",
    "STAGING": "The server can open what is sealed for who has the role decryptor and says what for; each time is audited.",
    "PROD": "The server can read nothing of what is sealed. It opens in your browser, with a key that stays there.",
}


class Overviews:
    """Who asks must be allowed to see the project: it is the caller's stream of the API that says so."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = asyncio.Lock()
        self._written: OrderedDict[str, tuple[float, str]] = OrderedDict()

    async def of(self, project: str, ask: Callable[[], Awaitable[Overview]]) -> str:
        """As of the last second. Raises what ``ask`` raises."""
        async with self._lock:
            until, text = self._written.pop(project, (0.0, ""))
            if self._clock() >= until:
                text = rendering.text("overview.html", **shown(await ask()))
                until = self._clock() + REMEMBERED_SECONDS
            self._written[project] = until, text
            if len(self._written) > _REMEMBERED:
                self._written.popitem(last=False)
            return text


def shown(seen: Overview) -> dict[str, Any]:
    """What the template is given of the API's answer."""
    now = datetime.fromisoformat(seen["time"])
    return {
        "seen": seen,
        "reads": READS[seen["security"]["mode"]],
        "at": at(now),
        "duration": duration,
        "clock": lambda iso: at(datetime.fromisoformat(iso)),
    }
