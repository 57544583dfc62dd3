# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What we remember of the cluster we made: cluster.json in the state directory.

It is written before anything is created, so that whatever an interrupt leaves
behind can be told from what belongs to somebody else.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import write_json
from ansible_collections.gpuaas.parity.plugins.module_utils._run.process import ProcessName

RECORD = "cluster.json"
CREATING, READY = "creating", "ready"


@dataclass(frozen=True)
class Record:
    """A cluster of ours. ``owner`` is also a label of its network; ``maker`` is the kind process at work on it."""

    name: str
    owner: str
    phase: str
    maker: ProcessName | None = None
    containers: tuple[str, ...] = ()
    uid: str = ""
    ca_sha256: str = ""
    kubernetes_version: str = ""
    node_image: str = ""
    settings_sha256: str = ""
    created: float = 0.0

    def made_by(self, maker: ProcessName | None) -> Record:
        """The same record with the process that works on the cluster."""
        return replace(self, maker=maker)


@dataclass(frozen=True)
class Remembered:
    """The record, if any; ``corrupt`` says why a file that is there cannot be read."""

    record: Record | None
    corrupt: str = ""


def read_record(state_dir: Path) -> Remembered:
    """Read cluster.json; never raises, since what to do about a corrupt one depends on what exists."""
    path = state_dir / RECORD
    try:
        raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        maker = ProcessName(**raw.pop("maker")) if raw.get("maker") else raw.pop("maker", None)
        record = Record(**{**raw, "maker": maker, "containers": tuple(raw["containers"])})
    except FileNotFoundError:
        return Remembered(None)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        return Remembered(None, f"{path}: {type(error).__name__}: {error}")
    if record.phase not in (CREATING, READY) or not record.owner:
        return Remembered(None, f"{path}: phase {record.phase!r}, owner {record.owner!r}")
    return Remembered(record)


def write_record(state_dir: Path, record: Record) -> None:
    """Replace cluster.json (0600)."""
    write_json(state_dir / RECORD, asdict(record))


def forget(state_dir: Path) -> bool:
    """Remove cluster.json; return whether it was there."""
    try:
        (state_dir / RECORD).unlink()
    except FileNotFoundError:
        return False
    return True
