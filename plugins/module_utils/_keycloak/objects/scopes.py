# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Client scopes with their protocol mappers: they make the tokens.

A scope of the document holds its mappers and no other; one of Keycloak's own that tokens are made with, those that it came with.
"""

from __future__ import annotations

from functools import partial

from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak import native
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.change import Change, Phase, drift, merged
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.jsontypes import Json, as_list, by_key
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.work import Work

MAPPERS = "protocolMappers"


def plan_scopes(work: Work) -> list[Change]:
    """Create, update and delete client scopes."""
    changes: list[Change] = []
    for name, wanted in work.desired.scopes.items():
        found = work.actual.scopes.get(name)
        if found is None:
            changes.append(Change(Phase.SCOPES, "create", "client scope", name, {}, wanted, partial(_create, work, wanted)))
            continue
        changes += _compared(work, wanted, found)
    for name, mappers in native.MAPPERS.items():
        if name in work.actual.scopes:
            changes += _compared(work, {"name": name, MAPPERS: mappers}, work.actual.scopes[name])
    for name in sorted({*work.actual.scopes} - {*work.desired.scopes} - native.SCOPES):
        remove = partial(work.api.delete, work.realm, "client-scopes", str(work.actual.scopes[name]["id"]))
        changes.append(Change(Phase.DELETE_SCOPES, "delete", "client scope", name, {"name": name}, {}, remove))
    return changes


def _compared(work: Work, wanted: Json, found: Json) -> list[Change]:
    before, after = drift({key: value for key, value in wanted.items() if key != MAPPERS}, found)
    mappers_before, mappers_after = _mapper_drift(wanted, found)
    if mappers_before or mappers_after:
        before[MAPPERS], after[MAPPERS] = mappers_before, mappers_after
    if not before and not after:
        return []
    return [Change(Phase.SCOPES, "update", "client scope", wanted["name"], before, after, partial(_update, work, wanted, found))]


def _mapper_drift(wanted: Json, found: Json) -> tuple[Json, Json]:
    """Mappers that differ, by name: as they are, as they should be."""
    have, want = by_key(as_list(found.get(MAPPERS)), "name"), by_key(wanted[MAPPERS], "name")
    before: Json = {}
    after: Json = {}
    for name in sorted({*have, *want}):
        if name not in want:
            before[name] = {"protocolMapper": have[name].get("protocolMapper"), "config": have[name].get("config")}
        elif name not in have:
            after[name] = want[name]
        else:
            old, new = drift(want[name], have[name])
            if new:
                before[name], after[name] = old, new
    return before, after


def _create(work: Work, wanted: Json) -> None:
    work.actual.scopes[wanted["name"]] = wanted | {"id": work.api.post(work.realm, "client-scopes", body=wanted)}


def _update(work: Work, wanted: Json, found: Json) -> None:
    scope = str(found["id"])
    fields = {key: value for key, value in wanted.items() if key != MAPPERS}
    if drift(fields, found)[1]:
        work.api.put(work.realm, "client-scopes", scope, body=fields | {"id": scope})
    # An update of the scope ignores its mappers; they have a resource of their own.
    have, want = by_key(as_list(found.get(MAPPERS)), "name"), by_key(wanted[MAPPERS], "name")
    before, after = _mapper_drift(wanted, found)
    mappers = (work.realm, "client-scopes", scope, "protocol-mappers", "models")
    for name in sorted({*before, *after}):
        if name not in want:
            work.api.delete(*mappers, str(have[name]["id"]))
        elif name not in have:
            work.api.post(*mappers, body=want[name])
        else:
            work.api.put(*mappers, str(have[name]["id"]), body=merged(have[name], want[name]))
