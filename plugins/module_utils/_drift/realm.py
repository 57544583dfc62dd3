# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of a realm: the changes that its reconciliation would make."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._drift.rows import Row
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.bootstrap import Outcome
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.change import masked

_FILE = "rendered/realm.json"
_LONGEST = 80


def rows_of(outcome: Outcome) -> list[Row]:
    """A row for each field of each object that would be changed; one for an object that is missing, or that nobody rendered."""
    rows = []
    for change in outcome.changes:
        name = f"{change.kind} {change.name}"
        before, after = masked(change.before, "current"), masked(change.after, "wanted")
        if change.action == "create":
            rows.append(Row(name, "", "missing", "", _FILE))
        elif change.action == "delete":
            rows.append(Row(name, "", "not rendered", "", _FILE))
        else:
            rows += [Row(name, key, _shown(before.get(key)), _shown(after.get(key)), _FILE) for key in sorted({**before, **after})]
    return rows


def _shown(value: Any) -> str:
    text = json.dumps(value, sort_keys=True)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
