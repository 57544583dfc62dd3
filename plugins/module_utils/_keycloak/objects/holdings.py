# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles that a user or a group holds, of the realm and of clients: taken away."""

from __future__ import annotations

from collections.abc import Collection

from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.jsontypes import as_json, as_list
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.work import Work


def take_roles(work: Work, kind: str, holder: str, keep: Collection[str] = ()) -> None:
    """Leave a holder, of kind ``users`` or ``groups``, the realm roles of these names and nothing else."""
    mappings = work.api.get_object(work.realm, kind, holder, "role-mappings")
    extra = [role for role in as_list(mappings.get("realmMappings")) if role["name"] not in keep]
    if extra:
        work.api.delete(work.realm, kind, holder, "role-mappings", "realm", body=extra)
    for held in as_json(mappings.get("clientMappings")).values():
        work.api.delete(work.realm, kind, holder, "role-mappings", "clients", str(held["id"]), body=held["mappings"])
