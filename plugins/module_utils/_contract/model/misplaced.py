# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands in the wrong place: a contract's matter in a mode file, a value where a secret is named.

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
    {"lanes", "settings", "secrets", "type", "value", "means", "role", "image", "health", "purpose", "ports", "endpoints", "needs"}
    | {"wants", "options"}
    | {"calls", "derived_from", "wrapped_by", "certificates", "realm", "roles", "scopes", "audiences", "clients", "users"}
)
# Below it the keys are names that the contract gives, whatever they look like.
_NAMED = ("placement",)
_MISPLACED = "CONTRACT_SETTING_IN_SECRET"


def in_mode(data: Any) -> Misplaced:
    """Every key of a mode file that only the contract may have."""
    for path in _overrides(data, ()):
        yield "MODE_OVERRIDES_CONTRACT", path, "a mode says transport and placement only"


def in_platform(data: Any) -> Misplaced:
    """Every value that stands where platform.yml defines a secret."""
    for name, secret in _mapping(data, "secrets").items():
        if isinstance(secret, dict) and "value" in secret:
            yield _MISPLACED, ("secrets", name, "value"), "a secret has no value in the contract"


def in_component(data: Any) -> Misplaced:
    """Every value that stands where component.yml names a secret, and every secret that has a setting's name."""
    settings = _mapping(data, "settings")
    for key, entry in _mapping(data, "secrets").items():
        path = ("secrets", key)
        if isinstance(entry, dict) and "value" in entry:
            yield _MISPLACED, (*path, "value"), "a secret has no value in the contract"
        if isinstance(entry, dict) and "${" in str(entry.get("secret", "")):
            yield _MISPLACED, (*path, "secret"), "a secret is named, not referred to"
        if key.upper() in settings:
            yield _MISPLACED, path, f"is a setting of the component too, {key.upper()}"


def _overrides(value: Any, path: Path) -> Iterator[Path]:
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        inner = (*path, key)
        if path != _NAMED and (key in _CONTRACT_ONLY or _VARIABLE.fullmatch(key)):
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
