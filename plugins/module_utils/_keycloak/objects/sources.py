# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where else users or keys could come from: identity providers, user federation, keys that were made elsewhere. The document has none."""

from __future__ import annotations

from functools import partial

from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.change import Change, Phase
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.jsontypes import Json
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.work import Work

_FEDERATION = "org.keycloak.storage.UserStorageProvider"
_KEYS = "org.keycloak.keys.KeyProvider"
_GENERATED = "-generated"
"""How the names of key providers end whose keys never leave Keycloak; it adds some by itself, when it needs one."""


def plan_sources(work: Work) -> list[Change]:
    """Delete whatever would let in somebody else's users, or tokens that somebody else signed."""
    changes: list[Change] = []
    for alias in sorted(work.actual.identity_providers):
        remove = partial(work.api.delete, work.realm, "identity-provider", "instances", alias)
        changes.append(Change(Phase.DELETE_CLIENTS, "delete", "identity provider", alias, {"alias": alias}, {}, remove))
    for component in work.actual.components:
        if kind := _foreign(component):
            name = str(component.get("name"))
            remove = partial(work.api.delete, work.realm, "components", str(component["id"]))
            changes.append(Change(Phase.DELETE_CLIENTS, "delete", kind, name, {"name": name}, {}, remove))
    return changes


def _foreign(component: Json) -> str:
    """What a component is called that the document has not; empty for Keycloak's own."""
    if component.get("providerType") == _FEDERATION:
        return "user federation"
    return "key" if component.get("providerType") == _KEYS and not str(component.get("providerId")).endswith(_GENERATED) else ""
