# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What files/deliver.list of a rendering hands to containers: each file with its volume and its digest."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

_STATE, _RENDERED = "/from/state/", "/from/"


@dataclass(frozen=True)
class Handed:
    """A line of the list: ``to`` is the file's path in the container that hands it out, ``digest`` its SHA-256 in hex."""

    line: str
    to: str
    digest: str

    @property
    def volume(self) -> str:
        """The volume that it is copied to."""
        return self.to.split("/")[2]


def handed(rendered: Path, state_dir: Path) -> list[Handed]:
    """Everything that is handed out. Raises ParityError STATE_UNWRITABLE for a file that cannot be read."""
    found = []
    for line in (rendered / "files" / "deliver.list").read_text(encoding="utf-8").splitlines():
        _owner, _mode, origin, to = line.split()
        ours = origin.startswith(_STATE)
        path = state_dir / origin.removeprefix(_STATE) if ours else rendered / origin.removeprefix(_RENDERED)
        found.append(Handed(line, to, digest_of(path)))
    return found


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in hex. Raises ParityError STATE_UNWRITABLE."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ParityError("STATE_UNWRITABLE", f"{path}: {error.strerror}", "{up} writes it again") from None
