# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""All differences between a document and a realm, and the refusal to touch what is not ours."""

from __future__ import annotations

from collections.abc import Collection
from itertools import groupby

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.actual import together
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.change import Change
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.objects.clients import plan_clients
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.objects.flows import plan_flows
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.objects.groups import plan_groups
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.objects.realm import plan_realm
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.objects.roles import plan_roles
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.objects.scopes import plan_scopes
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.objects.sources import plan_sources
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.objects.users import plan_users
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.ownership import names_of
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.work import Work


def plan(work: Work, *, adopt: bool = False) -> list[Change]:
    """Every change that the realm needs, in the order of its work.

    Raises ParityError KEYCLOAK_CONFLICT, before anything is changed, when the
    realm, or a user or group in it, bears a name of the document but was not made
    by this collection; ``adopt`` takes it over instead.
    """
    if not adopt:
        _refuse_foreign(work)
    planners = (plan_realm, plan_flows, plan_roles, plan_groups, plan_scopes, plan_clients, plan_sources, plan_users)
    return sorted((change for planner in planners for change in planner(work)), key=lambda change: change.phase)


def carry_out(changes: list[Change]) -> None:
    """Do the changes: phase after phase, those of one phase at once."""
    for _phase, batch in groupby(changes, key=lambda change: change.phase):
        together([change.apply for change in batch])


def _refuse_foreign(work: Work) -> None:
    if work.new_realm:
        return
    if work.actual.ownership is None:
        raise ParityError(
            "KEYCLOAK_CONFLICT",
            f"realm {work.realm} exists and was not made by gpuaas.parity",
            f"delete or rename realm {work.realm} in the admin console, or set adopt to take it over",
        )
    there: dict[str, Collection[str]] = {
        "groups": work.actual.groups,
        "users": work.actual.users,
    }
    foreign = [
        f"{kind}/{name}"
        for kind, names in names_of(work.desired).items()
        for name in sorted(names - work.ownership.of(kind))
        if name in there[kind]
    ]
    if foreign:
        raise ParityError(
            "KEYCLOAK_CONFLICT",
            f"realm {work.realm} has users or groups of the document's names that are not ours: {', '.join(foreign)}",
            "delete or rename them in the admin console, or set adopt to take them over",
            details={"foreign": foreign},
        )
