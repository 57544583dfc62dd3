"""Faults from a file: a JSON list of faults, each with an ``id``. It is read again whenever it changes."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from gpu_fleet.simulation import faults, switches
from gpu_fleet.simulation.hardware import Hardware
from gpu_fleet.simulation.switches import FaultError

SOURCE = "file"
MAX_BYTES = 256 * 1024
_LIST: TypeAdapter[list[dict[str, Any]]] = TypeAdapter(
    Annotated[list[dict[str, Any]], Field(max_length=faults.MAX_FAULTS)]
)
_log = logging.getLogger(__name__)

type _Version = tuple[int, int, int] | None


class FaultFile:
    """A file that is absent has no faults; one that cannot be read changes nothing, and ``problem`` says why."""

    def __init__(self, path: Path, hardware: Hardware) -> None:
        self._path = path
        self._hardware = hardware
        self._seen: _Version = None
        self._read = False
        self.problem: str | None = None

    def reload(self, db: sqlite3.Connection, now: float) -> None:
        """Set what the file has and the fleet has not, and the other way round, if the file has changed."""
        version = self._version()
        if self._read and version == self._seen:
            return
        self._seen, self._read = version, True
        before = {its.id: its.fault for its in faults.every(db) if its.source == SOURCE}
        db.execute("SAVEPOINT file")
        try:
            wanted = self._wanted(version)
            for identity, fault in before.items():
                if wanted.get(identity) != fault:
                    switches.take(db, identity, SOURCE, now)
            for identity, fault in wanted.items():
                if before.get(identity) != fault:
                    switches.put(db, self._hardware, identity, SOURCE, fault, now)
            self.problem = None
        except (OSError, ValueError, FaultError) as error:
            db.execute("ROLLBACK TO file")
            self.problem = _line(error)
            _log.warning("the file of faults is not followed", extra={"fields": {"cause": self.problem}})
        finally:
            db.execute("RELEASE file")

    def _wanted(self, version: _Version) -> dict[str, faults.Fault]:
        if version is None:
            return {}
        if version[2] > MAX_BYTES:
            raise ValueError(f"has more than {MAX_BYTES} bytes")
        found: dict[str, faults.Fault] = {}
        for item in _LIST.validate_json(self._path.read_bytes()):
            identity = item.pop("id", None)
            if not isinstance(identity, str) or not identity or identity in found:
                raise ValueError("each fault needs an id of its own")
            found[identity] = faults.ADAPTER.validate_python(item)
        return found

    def _version(self) -> _Version:
        try:
            seen = self._path.stat()
        except OSError:
            return None
        return seen.st_mtime_ns, seen.st_ino, seen.st_size


def _line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_input=False, include_url=False)[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}".removeprefix(": ")
    return str(error)
