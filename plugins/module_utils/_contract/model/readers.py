# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may read which secret: ``readers`` of each is compared with who uses it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.contract import Contract, Source
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.problems import Problems
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.strict_yaml import Path

OPERATOR, IDENTITY, VALIDATE = "operator", "identity", "validate"
OUTSIDE = (OPERATOR, IDENTITY, VALIDATE)
"""Readers that are no service: a person, who keeps the realm, and who proves the platform (secrets.schema.json)."""

# Under this key a service has the secret that the realm's keeper logs in with at first.
_BOOTSTRAP = "bootstrap_admin_client_secret"
_SECRET_KEYS = ("secret", "password")

Uses = set[tuple[str, str, str]]
"""(name of a secret, reader, place of the use)."""


def check_readers(contract: Contract, realm: Source | None) -> None:
    """Whoever uses a secret is among its readers, and whoever is among them uses it.

    What a person reads cannot be seen, so ``operator`` needs no use. Raises
    ParityError CONTRACT_READERS with all problems.
    """
    uses = {*_of_services(contract), *_of_realm(contract, realm)}
    problems = Problems()
    where = contract.source.where
    for name, secret in contract.secrets.items():
        readers = secret["readers"]
        for _name, reader, place in sorted(use for use in uses if use[0] == name and use[1] not in readers):
            problems.add("CONTRACT_READERS", where("secrets", name, "readers"), f"lacks {reader}, which uses it at {place}")
        for index, reader in enumerate(readers):
            at = where("secrets", name, "readers", index)
            if reader not in OUTSIDE and reader not in contract.services:
                problems.add("CONTRACT_READERS", at, f"{reader} is no service, and none of {', '.join(OUTSIDE)}")
            elif reader != OPERATOR and not any(use[:2] == (name, reader) for use in uses):
                problems.add("CONTRACT_READERS", at, f"{reader} does not use it")
    problems.refuse()


def _of_services(contract: Contract) -> Iterator[tuple[str, str, str]]:
    for service, item in contract.services.items():
        for key, secret in item.secrets.items():
            yield secret, service, f"services.{service}.secrets.{key}"


def _of_realm(contract: Contract, realm: Source | None) -> Iterator[tuple[str, str, str]]:
    if realm is None:
        return
    for path, secret in _named(realm.document.data, ()):
        place = realm.where(*path)
        yield secret, IDENTITY, place
        # The checks log in as the realm's users and clients, never as its administrator.
        if path[0] in ("users", "clients"):
            yield secret, VALIDATE, place
    for service, item in contract.services.items():
        if _BOOTSTRAP in item.secrets:
            yield item.secrets[_BOOTSTRAP], IDENTITY, f"services.{service}.secrets.{_BOOTSTRAP}"


def _named(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _named(item, (*path, index))
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in _SECRET_KEYS and isinstance(item, str):
                yield (*path, key), item
            yield from _named(item, (*path, key))
