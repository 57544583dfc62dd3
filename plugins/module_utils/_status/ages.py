# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How old a thing is."""

from __future__ import annotations

import datetime


def age(stamp: object, now: datetime.datetime) -> int:
    """Whole seconds since an RFC 3339 time, 0 when there is none or it is ahead of us."""
    try:
        then = datetime.datetime.fromisoformat(str(stamp))
    except ValueError:
        return 0
    return max(0, int((now - then).total_seconds()))
