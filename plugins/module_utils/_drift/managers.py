# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who set which fields of an object: its managed fields (KEP-555, FieldsV1 of meta/v1).

A server-side apply takes back what it states and leaves all else to whoever set it. So a key that
somebody added stays. kubectl itself has the way out, where it takes over from client-side apply
(client-go, util/csaupgrade): what others manage is first made the applier's own, and the next apply
removes it, since it does not state it. Flux takes fields back in the same way.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._drift.fields import ABSENT

Object = dict[str, Any]
Path = tuple[str, ...]

# By the names that the parts of Kubernetes write with: bindings of volumes, revisions of rollouts.
_OF_KUBERNETES = frozenset({"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet"})
RESTARTED_AT = ("f:spec", "f:template", "f:metadata", "f:annotations", "f:kubectl.kubernetes.io/restartedAt")
"""What ``kubectl rollout restart`` leaves: that pods were started again is no other configuration of them."""
_ITSELF = "."


@dataclass(frozen=True)
class Foreign:
    """A field that somebody else added: where it is, as FieldsV1 has it, and the name of the manager."""

    path: Path
    manager: str

    @property
    def field(self) -> str:
        """The field as a reader writes it: ``spec.ports[name=http].port``."""
        text = ""
        for part in self.path:
            kind, _colon, name = part.partition(":")
            if kind == "f":
                text += f".{name}" if text else name
            elif kind == "k":
                text += "[" + ",".join(f"{key}={value}" for key, value in json.loads(name).items()) + "]"
            else:
                text += f"[{name}]"
        return text

    def value_in(self, obj: Object) -> Any:
        """The field's value, ``ABSENT`` where it is not."""
        found: Any = obj
        for part in self.path:
            found = _step(found, part)
        return found


def is_foreign(entry: Object, manager: str) -> bool:
    """Whether an entry of the managed fields is neither that of ``manager``'s applies nor of Kubernetes itself."""
    if entry.get("subresource"):
        return False
    own = (entry.get("manager"), entry.get("operation")) == (manager, "Apply")
    return not own and entry.get("manager") not in _OF_KUBERNETES


def added(obj: Object, manager: str, applied: Object) -> list[Foreign]:
    """The fields of a live object that others set and ``manager`` does not apply; a whole item of a list counts once.

    ``applied`` is the object after an apply, or a dry run of one: what others took from us is ours again there.
    """
    entries = obj["metadata"].get("managedFields") or []
    ours = [entry for entry in applied["metadata"].get("managedFields") or [] if _applied(entry, manager)]
    own = {path for entry in ours for path in _paths(entry.get("fieldsV1") or {})}
    found = {
        path: str(entry.get("manager"))
        for entry in entries
        if is_foreign(entry, manager)
        for path in _paths(entry.get("fieldsV1") or {})
        if path not in own and path != RESTARTED_AT
    }
    fields = [Foreign(path, who) for path, who in found.items() if not _inside(path, found)]
    return [field for field in fields if field.value_in(obj) is not ABSENT]


def applied_at(obj: Object, manager: str) -> str:
    """When anything that ``manager`` applied last differed from what was there, RFC 3339; empty when it applied nothing."""
    entries = obj["metadata"].get("managedFields") or []
    return max((str(entry.get("time", "")) for entry in entries if _applied(entry, manager)), default="")


def taken_over(obj: Object, manager: str) -> list[Object]:
    """The managed fields of an object after ``manager`` took over what is foreign, so that its next apply removes it."""
    kept: list[Object] = []
    fields: Object = {}
    for entry in obj["metadata"].get("managedFields") or []:
        if not is_foreign(entry, manager) and not _applied(entry, manager):
            kept.append(entry)
            continue
        taken = _nested(path for path in _all(entry.get("fieldsV1") or {}) if path != RESTARTED_AT)
        fields = _merged(fields, taken)
        if taken != entry.get("fieldsV1") and RESTARTED_AT in _all(entry.get("fieldsV1") or {}):
            kept.append({**entry, "fieldsV1": _nested([RESTARTED_AT])})
    version = str(obj.get("apiVersion"))
    return [*kept, {"manager": manager, "operation": "Apply", "apiVersion": version, "fieldsType": "FieldsV1", "fieldsV1": fields}]


def _applied(entry: Object, manager: str) -> bool:
    return (entry.get("manager"), entry.get("operation")) == (manager, "Apply") and not entry.get("subresource")


def _all(fields: Object, above: Path = ()) -> set[Path]:
    """Every path of a set of fields, with the marks that a mapping or an item is there itself."""
    found: set[Path] = set()
    for part, inner in fields.items():
        found |= _all(inner, (*above, part)) if inner else {(*above, part)}
    return found


def _nested(paths: Iterable[Path]) -> Object:
    """The set of fields that consists of these paths."""
    fields: Object = {}
    for path in paths:
        level = fields
        for part in path:
            level = level.setdefault(part, {})
    return fields


def _paths(fields: Object) -> set[Path]:
    """Every field that is set, and every item of a list and empty mapping that is there itself; what holds these does not count."""
    found = _all(fields)
    whole = {path[:-1] for path in found if path[-1] == _ITSELF}
    things = {path for path in whole if path and (path[-1].startswith("k:") or not _holds(path, found))}
    return {path for path in found if path[-1] != _ITSELF} | things


def _holds(path: Path, others: Collection[Path]) -> bool:
    return any(other[: len(path)] == path and other[len(path) :] != (_ITSELF,) for other in others)


def _inside(path: Path, others: Collection[Path]) -> bool:
    """Whether a path is within an item of a list that is among the others as a whole."""
    return any(path[:end] in others and path[end - 1].startswith("k:") for end in range(1, len(path)))


def _merged(one: Object, other: Object) -> Object:
    return {key: _merged(one.get(key, {}), other.get(key, {})) for key in {**one, **other}}


def _step(value: Any, part: str) -> Any:
    kind, _colon, name = part.partition(":")
    match kind, value:
        case "f", dict():
            return value.get(name, ABSENT)
        case "k", list():
            keys = json.loads(name)
            return next((item for item in value if isinstance(item, dict) and keys.items() <= item.items()), ABSENT)
        case "v", list():
            return json.loads(name) if json.loads(name) in value else ABSENT
        case "i", list():
            return value[int(name)] if int(name) < len(value) else ABSENT
    return ABSENT
