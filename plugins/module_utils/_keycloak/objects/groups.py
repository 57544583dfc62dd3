# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups, by path: they give no roles, and no user is put into one unasked.

A parent that the document does not name is owned all the same.
"""

from __future__ import annotations

from functools import partial
from pathlib import PurePosixPath

from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.change import Change, Phase, nothing
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.objects.holdings import take_roles
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.work import Work


def plan_groups(work: Work) -> list[Change]:
    """Create missing groups, parents first; delete dropped ones, children first.

    A dropped group with a child that is not ours stays, for deleting it would
    delete the child; it remains recorded as owned and goes once the child is gone.
    """
    changes: list[Change] = []
    for path in work.desired.groups:
        if path not in work.actual.groups:
            create = nothing if work.new_realm else partial(_create, work, path)
            changes.append(Change(Phase.GROUPS + _depth(path), "create", "group", path, {}, {"path": path}, create))
        elif roles := work.actual.group_roles.get(path):
            take = partial(take_roles, work, "groups", work.actual.groups[path])
            changes.append(Change(Phase.CLIENTS, "update", "group", path, {"roles": roles}, {"roles": []}, take))
    for path in (work.actual.settings or {}).get("defaultGroups") or ():
        leave = partial(work.api.delete, work.realm, "default-groups", work.actual.groups[path])
        changes.append(Change(Phase.CLIENTS, "update", "group", path, {"default": True}, {"default": False}, leave))
    remaining = set(work.actual.groups)
    for path in reversed(work.dropped("groups", work.desired.groups)):
        if path not in work.actual.groups:
            continue
        if any(other.startswith(f"{path}/") for other in remaining):
            work.kept_groups.add(path)
            continue
        remaining.discard(path)
        remove = partial(work.api.delete, work.realm, "groups", work.actual.groups[path])
        changes.append(Change(Phase.DELETE_GROUPS - _depth(path), "delete", "group", path, {"path": path}, {}, remove))
    # Somebody's: whom they hold would lose what they have through them.
    work.beside |= {f"group {path}" for path in remaining - set(work.desired.groups)}
    return changes


def _create(work: Work, path: str) -> None:
    parent, name = str(PurePosixPath(path).parent), PurePosixPath(path).name
    above = () if parent == "/" else (work.actual.groups[parent], "children")
    work.actual.groups[path] = work.api.post(work.realm, "groups", *above, body={"name": name})


def _depth(path: str) -> int:
    return path.count("/")
