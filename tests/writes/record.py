"""Every call that was made and what was answered, in a file that outlives the process."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Call:
    """One POST of an instance.

    ``name`` is the instance's and, like the idempotency key, one for each intent. ``answer`` is the status with the
    problem's code, or the kind of failure where no answer came. ``instance`` is the id that a success named, else empty.
    ``phase`` is what was being done to the platform, ``at`` seconds since the epoch at the answer.
    """

    name: str
    phase: str
    answer: str
    seconds: float
    instance: str = ""
    replayed: bool = False
    at: float = 0.0


class Record:
    """Calls in memory and, a line of JSON each, in a file. Thread-safe."""

    def __init__(self, file: Path) -> None:
        self.calls: list[Call] = []
        self._lock = threading.Lock()
        self._file = file.open("w", encoding="utf-8", buffering=1)

    def add(self, call: Call) -> None:
        with self._lock:
            self.calls.append(call)
            self._file.write(json.dumps(asdict(call)) + "\n")

    def acknowledged(self) -> int:
        """Intents that were answered with success so far."""
        with self._lock:
            return len({call.name for call in self.calls if call.instance})

    def close(self) -> None:
        self._file.close()


def now() -> float:
    """Seconds since the epoch: comparable with the logs of the platform."""
    return time.time()
