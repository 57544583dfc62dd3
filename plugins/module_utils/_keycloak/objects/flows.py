# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Authentication flows: Keycloak's own, as it makes them, and no others. Which one serves what is a setting of the realm."""

from __future__ import annotations

from functools import partial

from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak import native_flows
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.change import Change, Phase
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.jsontypes import Json
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.native_flows import Step
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.work import Work


def plan_flows(work: Work) -> list[Change]:
    """Set back the steps of Keycloak's own flows, delete the flows that somebody made."""
    changes: list[Change] = []
    for alias, found in sorted(work.actual.executions.items()):
        steps = steps_of(found)
        wanted = native_flows.STEPS.get(alias, {})
        before = {name: step.text for name, (step, _found) in steps.items() if wanted.get(name) != step}
        after = {name: step.text for name, step in wanted.items() if name not in steps or steps[name][0] != step}
        if before or after:
            changes.append(Change(Phase.REALM, "update", "flow", alias, before, after, partial(_set_back, work, alias, wanted, steps)))
    for alias in sorted({*work.actual.flows} - {*native_flows.STEPS}):
        remove = partial(work.api.delete, work.realm, "authentication", "flows", str(work.actual.flows[alias]["id"]))
        changes.append(Change(Phase.DELETE_FLOWS, "delete", "flow", alias, {"alias": alias}, {}, remove))
    return changes


def steps_of(executions: list[Json]) -> dict[str, tuple[Step, Json]]:
    """Steps, such as ``forms/auth-username-password-form``, out of the flat list that Keycloak gives of a flow; with what they are of."""
    found: dict[str, tuple[Step, Json]] = {}
    above: list[str] = []
    for execution in executions:
        name = str(execution.get("displayName") if execution.get("authenticationFlow") else execution.get("providerId"))
        above = [*above[: int(execution.get("level") or 0)], name]
        config = str(execution.get("alias") or "") if execution.get("authenticationConfig") else ""
        found["/".join(above[-2:])] = Step(str(execution["requirement"]), int(execution.get("priority") or 0), config), execution
    return found


def _set_back(work: Work, alias: str, wanted: dict[str, Step], steps: dict[str, tuple[Step, Json]]) -> None:
    for name, (step, execution) in steps.items():
        own = wanted.get(name)
        if own is None:
            # What is in it goes with it, and is then gone already.
            work.api.delete(work.realm, "authentication", "executions", str(execution["id"]))
            continue
        if step.config != own.config:
            work.api.delete(work.realm, "authentication", "config", str(execution["authenticationConfig"]))
        if step != own:
            body = execution | {"requirement": own.requirement, "priority": own.priority}
            work.api.put(work.realm, "authentication", "flows", alias, "executions", body=body)
