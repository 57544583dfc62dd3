# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of the secrets that a realm document names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.jsontypes import Json
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.store import read


class Secrets:
    """Secret values by name. Its text form shows names only."""

    def __init__(self, values: dict[str, str]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __repr__(self) -> str:
        return f"Secrets({sorted(self._values)})"


def names_in(document: Json) -> Iterator[tuple[str, str]]:
    """Place in the document and name of every secret that it needs."""
    for name, client in document["clients"].items():
        if "secret" in client:
            yield f"clients.{name}.secret", client["secret"]
    for name, user in document["users"].items():
        yield f"users.{name}.password", user["password"]
    yield "admin.password", document["admin"]["password"]


def load_secrets(path: str, document: Json, *also: str) -> Secrets:
    """The secrets that the document names, and those named in ``also``, out of secrets.yml.

    Raises ParityError: KEYCLOAK_SECRETS, and what ``_secrets.store.read`` raises
    for a file that is not private or not readable. No value enters a message.
    """
    found = read(Path(path))
    if found is None:
        raise ParityError("KEYCLOAK_SECRETS", f"{path} does not exist")
    needed = [*names_in(document), *(("bootstrap client", name) for name in also)]
    missing = [f"{name} ({where})" for where, name in needed if not found.get(name)]
    if missing:
        seen = f"{path} has no value for {', '.join(missing)}"
        raise ParityError("KEYCLOAK_SECRETS", seen, details={"missing": missing})
    return Secrets({name: found[name] for _where, name in needed})
