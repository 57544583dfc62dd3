# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A difference between what is and what should be, and how it is put right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.jsontypes import Json, as_json

MASK = "********"
SECRET_FIELDS = ("secret", "password")


class Phase:
    """Order of the work: what others refer to comes first and goes last. Group levels are added to GROUPS."""

    REALM = 0
    ROLES = SCOPES = 1
    GROUPS = 10
    CLIENTS = USERS = 100
    DELETE_USERS = DELETE_CLIENTS = DELETE_FLOWS = 200
    DELETE_SCOPES = DELETE_ROLES = 201
    DELETE_GROUPS = 300


def nothing() -> None:
    """The work of a change that another one carries."""


@dataclass(frozen=True)
class Change:
    """One object to create, update or delete.

    ``before`` and ``after`` hold the fields that differ; ``show`` masks their secrets.
    Changes of a lower ``phase`` come first, those of one phase may run at once.
    """

    phase: int
    action: str
    kind: str
    name: str
    before: Json = field(repr=False)
    after: Json = field(repr=False)
    apply: Callable[[], None] = field(default=nothing, repr=False)

    def summary(self) -> Json:
        """Kind, name, action and the fields concerned, without values."""
        return {
            "kind": self.kind,
            "name": self.name,
            "action": self.action,
            "fields": sorted({**self.before, **self.after}),
        }

    def diff(self) -> Json:
        """The entry of Ansible's diff output, secrets masked."""
        header = f"{self.kind} {self.name}"
        return {
            "before_header": header,
            "after_header": header,
            "before": masked(self.before, "current"),
            "after": masked(self.after, "wanted"),
        }


def masked(fields: Json, which: str) -> Json:
    """``fields`` without secret values; ``which`` keeps the two sides of a changed secret apart."""
    return {key: f"{MASK} ({which})" if key in SECRET_FIELDS and value else value for key, value in sorted(fields.items())}


def drift(wanted: Json, actual: Json) -> tuple[Json, Json]:
    """Fields of ``wanted`` that ``actual`` does not have the same: (as they are, as they should be).

    Nested objects are compared by the keys that ``wanted`` has, lists of strings
    as sets, and an absent field equals an empty one: so Keycloak answers.
    """
    before: Json = {}
    after: Json = {}
    for key, value in wanted.items():
        found = actual.get(key)
        if isinstance(value, dict):
            inner_before, inner_after = drift(value, as_json(found))
            if inner_after:
                before[key], after[key] = inner_before, inner_after
        elif _plain(value) != _plain(found):
            before[key], after[key] = found, value
    return before, after


def _plain(value: object) -> object:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return sorted(value) or None
    return None if value in ("", {}) else value


def merged(actual: Json, wanted: Json) -> Json:
    """``actual`` with the fields of ``wanted`` in place, nested objects merged."""
    result = dict(actual)
    for key, value in wanted.items():
        result[key] = merged(as_json(actual.get(key)), value) if isinstance(value, dict) else value
    return result
