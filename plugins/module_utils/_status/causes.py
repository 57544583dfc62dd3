# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which component is the trouble, and what only waits for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.causes import needed_by

Object = dict[str, Any]


def of_components(services: Mapping[str, Any], rows: Sequence[Object]) -> list[Object]:
    """Rows of components, each with ``waits_for``: of all that it needs, what is in trouble and waits for nothing itself.

    A row that is not ``starting`` waits for nobody: nothing of it is there that could become ready by itself.
    """
    blocked = {row["name"] for row in rows if row["blocker"]}
    missing = {row["name"]: needed_by(services, row["name"]) & blocked for row in rows if row["blocker"] and row["starting"]}
    return [{**row, "waits_for": sorted(need for need in missing.get(row["name"], ()) if not missing.get(need))} for row in rows]


def of_endpoints(contract: Object, rows: Sequence[Object], components: Sequence[Object]) -> list[Object]:
    """Rows of endpoints, each with ``waits_for``: which components in trouble it is served by, directly or not."""
    services = contract["services"]
    ingress = {name for name, service in services.items() if service.get("role") == "ingress"}
    trouble = {row["name"] for row in components if row["blocker"]}

    def waits_for(row: Object) -> list[str]:
        service = str(contract["endpoints"][row["name"]].get("service"))
        return [] if row["ok"] else sorted(({service} | ingress | needed_by(services, service)) & trouble)

    return [{**row, "waits_for": waits_for(row)} for row in rows]


def in_words(components: Sequence[Object], endpoints: Sequence[Object]) -> list[str]:
    """What is in trouble, one thing each, and last who waits for that."""
    found = [f"{row['name']}: {row['blocker']}" for row in components if row["blocker"] and not row["waits_for"]]
    found += [f"{row['url']}: {row['now']}" for row in endpoints if not (row["ok"] or row["waits_for"])]
    waiting = [row["name"] for row in components if row["waits_for"]]
    return [*found, f"waiting for that: {', '.join(waiting)}"] if waiting else found
