# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who reads which secret: whoever uses it, found in the components and the realm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.source import Source
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.strict_yaml import Path

OPERATOR, IDENTITY, VALIDATE = "operator", "identity", "validate"
OUTSIDE = (OPERATOR, IDENTITY, VALIDATE)
"""Readers that are no component: a person, who looks the secret up; who keeps the realm; and the checks, which log in."""

# Under this key a component has the secret that the realm's keeper logs in with at first.
_BOOTSTRAP = "bootstrap_admin_client_secret"
_SECRET_KEYS = ("secret", "password")


def readers_of(services: Mapping[str, Any], secrets: Mapping[str, Any], realm: Source | None) -> dict[str, list[str]]:
    """The readers of each secret: components in alphabetical order, then those outside."""
    found: dict[str, set[str]] = {name: set() for name in secrets}
    for name, reader in (*_of_components(services), *_of_realm(realm)):
        # A name that leads nowhere is refused where the contract is checked.
        if name in found:
            found[name].add(reader)
    for name, secret in secrets.items():
        if secret.get("operator"):
            found[name].add(OPERATOR)
    return {name: [*sorted(readers - set(OUTSIDE)), *(one for one in OUTSIDE if one in readers)] for name, readers in found.items()}


def _of_components(services: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for component, data in services.items():
        for key, entry in (data.get("secrets") or {}).items():
            yield entry["secret"], component
            if key == _BOOTSTRAP:
                yield entry["secret"], IDENTITY


def _of_realm(realm: Source | None) -> Iterator[tuple[str, str]]:
    for path, secret in _named(realm.data, ()) if realm else ():
        yield secret, IDENTITY
        # The checks log in as the realm's users and clients, never as its administrator.
        if path[0] in ("users", "clients"):
            yield secret, VALIDATE


def _named(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _named(item, (*path, index))
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in _SECRET_KEYS and isinstance(item, str):
                yield (*path, key), item
            yield from _named(item, (*path, key))
