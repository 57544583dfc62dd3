# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An event on one line, in ASCII: so it is one line to every reader, and can be written in every locale."""

from __future__ import annotations

import json

from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.emitter import Record


def json_line(record: Record) -> str:
    """``record`` as one line of JSON, without its end. What JSON cannot say is said as text."""
    return json.dumps(record, default=str)
