# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A row for each field and object that is not as it was rendered."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._drift.fields import ABSENT

_LONGEST = 80
_SHOWN = 6
_ADVISED = 3


@dataclass(frozen=True, order=True)
class Row:
    """One thing that is otherwise: its object, the field (empty for the whole of it), what is and what should be there.

    ``file`` is where the rendering says so, relative to the run's folder; empty for what it says nothing of. ``do`` is what to type.
    """

    object: str
    field: str
    live: str
    wanted: str
    file: str = ""
    do: str = "{up}"

    def __str__(self) -> str:
        where = f"{self.object}: {self.field}" if self.field else self.object
        return f"{where}: {self.live}, not {self.wanted}" if self.wanted else f"{where}: {self.live}"

    def as_dict(self) -> dict[str, str]:
        """The row as plain data."""
        return asdict(self)


def shown(value: Any, secret: bool, mask: Callable[[str], str]) -> str:
    """A value in a few words, with every known secret masked; of a Secret nothing but a digest."""
    if value is ABSENT:
        return "absent"
    if secret:
        return f"sha256:{hashlib.sha256(_content(value)).hexdigest()[:12]}"
    # Masked before it is cut: half a secret would not be known.
    text = mask(repr(value) if isinstance(value, str) else json.dumps(value, sort_keys=True))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def summary(rows: Sequence[Row]) -> str:
    """The first rows in words, and how many more there are."""
    more = f"; and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    return "; ".join(map(str, rows[:_SHOWN])) + more


def advice(rows: Sequence[Row]) -> str:
    """What to type: what heals most, and what only a person may decide."""
    wanted = list(dict.fromkeys(row.do for row in sorted(rows, key=lambda row: row.do != "{up}")))
    return "; ".join([*wanted[:_ADVISED], *(["{drift} says what else"] if len(wanted) > _ADVISED else [])])


def lines(rows: Sequence[Row]) -> list[str]:
    """The rows for a terminal: an object, below it each of its fields with both values, the file and what to type."""
    told: list[str] = []
    for row in rows:
        head = f"{row.object}" + (f"  ({row.file})" if row.file else "")
        told += [] if head in told else [head]
        told.append(f"  {row.field or 'the object'}: {row.live}" + (f", rendered {row.wanted}" if row.wanted else ""))
        if row.do != "{up}":
            told.append(f"    -> {row.do}")
    return told


def _content(value: Any) -> bytes:
    """What a Secret's value decodes to, so that the digest is that of the file it comes from."""
    if isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            return value.encode()
    return json.dumps(value, sort_keys=True).encode()
