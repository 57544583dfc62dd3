# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A clock that a test moves."""

from __future__ import annotations

import datetime


class FakeTime:
    """Seconds that pass only when the test says so, from a moment in another time zone."""

    def __init__(self) -> None:
        self.passed = 0.0

    def monotonic(self) -> float:
        return 100.0 + self.passed

    def now(self) -> datetime.datetime:
        zone = datetime.timezone(datetime.timedelta(hours=1))
        return datetime.datetime(2026, 11, 24, 18, 0, tzinfo=zone) + datetime.timedelta(seconds=self.passed)
