# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The entries of secrets.yml: a value, what it is derived from, or a value that is wrapped.

    plain:   "…"
    ring:    {"primary": 1, "keys": {"1": "…"}}
    follows: {"type": "password", "derived_from": "root_key"}
    hidden:  {"type": "password", "wrapped_by": "ring", "version": 1, "wrapped": "…"}

The file says by itself what everything in it is worth: nobody needs a contract to read it, and a copy of it is whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.schema import violations
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.derivation import derive
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.graph import Wanted
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.types.keyring import KEYRING
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.types.model import SecretType, Version
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.types.table import TYPES
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.types.text import KEY
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.wrapping import unwrap, wrap

# What is no name is not shown: it may be a value in the wrong place.
_NAME = {"type": "string", "maxLength": 60, "pattern": r"^[a-z][a-z0-9_]*$(?!\n)"}
_DERIVED: dict[str, Any] = {
    "title": "{type, derived_from}",
    "type": "object",
    "additionalProperties": False,
    "required": ["type", "derived_from"],
    "properties": {"type": {"enum": sorted(name for name, kind in TYPES.items() if kind.derivable)}, "derived_from": _NAME},
}
_WRAPPED: dict[str, Any] = {
    "title": "{type, wrapped_by, wrapped}, and the version of a keyring",
    "type": "object",
    "additionalProperties": False,
    "required": ["type", "wrapped_by", "wrapped"],
    "properties": {
        "type": {"enum": sorted(TYPES)},
        "wrapped_by": _NAME,
        "version": {"type": "integer", "minimum": 1},
        "wrapped": {"type": "string"},
    },
}


@dataclass
class Opened:
    """Values by name, and what is wrong with the entries that have none. No sentence quotes an entry."""

    values: dict[str, str] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)


def opened(entries: Mapping[str, Any]) -> Opened:
    """The value of every entry that has one."""
    found = Opened()
    for name in entries:
        _open(name, entries, found, ())
    return found


def closed(values: Mapping[str, str], wanted: Wanted, entries: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of these values as the contract wants them; one of ``entries`` that says the same already stays.

    So does one that is to be wrapped by what has no value yet.
    """
    return {
        name: _entry(name, values, wanted, entries) if wanted[name].get("wrapped_by", name) in values else entries[name]
        for name in wanted
        if name in values
    }


def is_wrapped(entry: Any) -> bool:
    """Whether an entry is, or was to be, a wrapped value."""
    return isinstance(entry, dict) and "wrapped_by" in entry


def shape(secret: Mapping[str, Any], entry: Any) -> dict[str, Any]:
    """JSON Schema of the entry of a secret of the contract.

    A value that is to be wrapped may still be plain, and the other way round: both are written as the contract says next.
    """
    if "derived_from" in secret:
        only = {"type": secret["type"], "derived_from": secret["derived_from"]}
        said = ", ".join(f"{key}: {value}" for key, value in only.items())
        return {"title": f"{{{said}}}, for it has no value of its own; remove it, and it is made so", "const": only}
    if is_wrapped(entry):
        title = f"{{type: {secret['type']}, wrapped_by, wrapped}}, and the version of a keyring"
        return _WRAPPED | {"title": title, "properties": _WRAPPED["properties"] | {"type": {"const": secret["type"]}}}
    return TYPES[secret["type"]].schema


def fits(schema: dict[str, Any], data: Any) -> bool:
    """Whether a schema admits what stands in secrets.yml."""
    return next(violations(schema, data), None) is None


def problem(kind: SecretType, value: str) -> str:
    """Why a value is none of its type, without a word of it; empty when it is one."""
    try:
        of_its_shape = fits(kind.schema, kind.stored(value))
    except ValueError:
        of_its_shape = False
    return kind.fault(value) if of_its_shape else f"must be {kind.schema['title']}"


def _open(name: str, entries: Mapping[str, Any], found: Opened, trail: tuple[str, ...]) -> str | None:
    if name in found.values or name in found.wrong:
        return found.values.get(name)
    try:
        found.values[name] = _value(name, entries, found, trail)
    except ValueError as error:
        found.wrong[name] = str(error)
    return found.values.get(name)


def _value(name: str, entries: Mapping[str, Any], found: Opened, trail: tuple[str, ...]) -> str:
    """Raises ValueError, which says what is wrong and quotes nothing."""
    match entries[name]:
        case str() as text:
            return text
        case {"derived_from": parent, **_rest} if fits(_DERIVED, entries[name]):
            kind, source = _parent(name, parent, entries, found, trail)
            if not kind.derives:
                raise ValueError(f"is derived from {parent}, which is no key")
            return derive(kind.keys(source)[1][None], name, entries[name]["type"])
        case {"wrapped_by": parent, **_rest} if fits(_WRAPPED, entries[name]):
            kind, source = _parent(name, parent, entries, found, trail)
            version = entries[name].get("version")
            key = kind.keys(source)[1].get(version) if kind.wraps else None
            if key is None:
                raise ValueError(f"is wrapped by version {version or 'none'} of {parent}, which there is not")
            try:
                return unwrap(key, name, entries[name]["wrapped"])
            except ValueError:
                raise ValueError(f"is not what {parent} wrapped for it") from None
        case {"keys": _keys, **_rest} if fits(KEYRING.schema, entries[name]):
            return KEYRING.text(entries[name])
    raise ValueError("must be a text, a keyring, or a mapping that says what it is derived from or wrapped by")


def _parent(name: str, parent: str, entries: Mapping[str, Any], found: Opened, trail: tuple[str, ...]) -> tuple[SecretType, str]:
    """The type and value of what an entry leads to. Raises ValueError."""
    if parent in (*trail, name):
        raise ValueError(f"leads back to itself by {parent}")
    value = _open(parent, entries, found, (*trail, name)) if parent in entries else None
    if value is None:
        raise ValueError(f"leads to {parent}, which has no value")
    kind = _kind(entries[parent])
    if problem(kind, value):
        raise ValueError(f"leads to {parent}, whose value is not that of a key or keyring")
    return kind, value


def _kind(entry: Any) -> SecretType:
    """The type of an entry that others lead to."""
    if isinstance(entry, str):
        return KEY
    return TYPES[entry["type"]] if "type" in entry else KEYRING


def _entry(name: str, values: Mapping[str, str], wanted: Wanted, entries: Mapping[str, Any]) -> Any:
    secret = wanted[name]
    if "derived_from" in secret:
        return {"type": secret["type"], "derived_from": secret["derived_from"]}
    if "wrapped_by" not in secret:
        return TYPES[secret["type"]].stored(values[name])
    parent, before = secret["wrapped_by"], entries.get(name)
    primary, keys = TYPES[wanted[parent]["type"]].keys(values[parent])

    def wrapped(version: Version) -> dict[str, Any]:
        return {
            "type": secret["type"],
            "wrapped_by": parent,
            **({} if version is None else {"version": version}),
            "wrapped": wrap(keys[version], name, values[name]),
        }

    # What an older version of a keyring wrapped stays as it is.
    return next((same for version in keys if (same := wrapped(version)) == before), wrapped(primary))
