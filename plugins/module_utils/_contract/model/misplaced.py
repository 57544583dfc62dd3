# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands in the wrong place: a contract's matter in a mode file, a setting where a secret is named.

The schemas refuse both as unknown keys; here they get a reason and the key's own path.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.strict_yaml import Path

Misplaced = Iterator[tuple[str, Path, str]]
"""(reason id, path, what is wrong there)."""

_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
# What a mode has no say in: names, types and meanings of settings and secrets, who may do what, what belongs together.
_CONTRACT_ONLY = frozenset(
    {"lanes", "settings", "secrets", "type", "value", "means", "kind", "readers", "role", "image", "health", "purpose"}
    | {"realm", "roles", "scopes", "audiences", "clients", "users"}
)
# Below these the keys are names that the contract gives, whatever they look like.
_NAMED = (("transport", "endpoints"), ("transport", "services"), ("placement",))


def in_mode(data: Any) -> Misplaced:
    """Every key of a mode file that only the contract may have."""
    for path in _overrides(data, ()):
        yield "MODE_OVERRIDES_CONTRACT", path, "a mode says transport and placement only"


def in_contract(data: Any) -> Misplaced:
    """Every setting that stands where platform.yml names a secret, or that has a secret's name."""
    services = _mapping(data, "services")
    variables = {key for service in services.values() for key in _mapping(service, "settings")}
    for name, secret in _mapping(data, "secrets").items():
        for key in ("value", "type"):
            if isinstance(secret, dict) and key in secret:
                yield "CONTRACT_SETTING_IN_SECRET", ("secrets", name, key), "a secret has no value and no type in the contract"
        if name.upper() in variables:
            yield "CONTRACT_SETTING_IN_SECRET", ("secrets", name), f"is the name of a setting too, {name.upper()}"
    for service, item in services.items():
        for key, entry in _mapping(item, "secrets").items():
            path = ("services", service, "secrets", key)
            for part in ("value", "type", "means"):
                if isinstance(entry, dict) and part in entry:
                    yield "CONTRACT_SETTING_IN_SECRET", (*path, part), "a service's secret is the name of a secret and nothing else"
            if isinstance(entry, dict) and "${" in str(entry.get("secret", "")):
                yield "CONTRACT_SETTING_IN_SECRET", (*path, "secret"), "a secret is named, not referred to"
            if key.upper() in _mapping(item, "settings"):
                yield "CONTRACT_SETTING_IN_SECRET", path, f"is a setting of the service too, {key.upper()}"


def _overrides(value: Any, path: Path) -> Iterator[Path]:
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        inner = (*path, key)
        if path not in _NAMED and (key in _CONTRACT_ONLY or _VARIABLE.fullmatch(key)):
            yield from _innermost(item, inner)
        else:
            yield from _overrides(item, inner)


def _innermost(value: Any, path: Path) -> Iterator[Path]:
    """The settings and secrets themselves, where the key is what holds them."""
    if path[-1] in ("settings", "secrets") and isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _innermost(item, (*path, key))
    else:
        yield path


def _mapping(data: Any, key: str) -> dict[str, Any]:
    found = data.get(key) if isinstance(data, dict) else None
    return found if isinstance(found, dict) else {}
