# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Live objects are what was rendered, and nothing is there besides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import KUBERNETES, Context, Observation, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._drift.rows import advice, summary


@dataclass(frozen=True)
class Drift:
    """No field of an object differs from the rendering, none was added by others, no object is missing or not of the
    platform, and no pod runs with values that were changed since it started."""

    targets: ClassVar[frozenset[str]] = KUBERNETES

    def run(self, context: Context) -> Observation:
        rows = context.drift()
        if rows:
            return failed("OBJECTS_DRIFTED", summary(rows), rows=[row.as_dict() for row in rows], advice=advice(rows))
        return passed("every object is as it was rendered")
