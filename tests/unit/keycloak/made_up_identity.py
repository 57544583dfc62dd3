"""A platform's identity: the real realm document, made-up secrets, a Keycloak of dictionaries."""

from __future__ import annotations

import contextlib
import copy
import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import load_platform
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.bootstrap import Outcome, Request, bootstrap
from ansible_collections.gpuaas.parity.tests.unit.keycloak.fake_keycloak import FakeKeycloak, Server

PLATFORM = Path(__file__).resolve().parents[3] / "platform"
TEMPORARY = "parity-bootstrap"
TEMPORARY_SECRET = "keycloak_bootstrap_client_secret"


def rendered(admin_url: str) -> dict[str, Any]:
    document = copy.deepcopy(_rendered())
    document["admin"]["url"] = admin_url
    return document


@functools.cache
def _rendered() -> dict[str, Any]:
    text = (PLATFORM / "realm.yml").read_text(encoding="utf-8")
    document = yaml.safe_load(re.sub(r"\$\{endpoints\.([a-z-]+)\.url\}", r"https://\1.gpuaas.localhost:8443", text))
    assert isinstance(document, dict)
    return document


@functools.cache
def values() -> dict[str, str]:
    return {name: f"value-of-{name}-{'x' * 12}" for name in load_platform(PLATFORM).contract.secrets}


@dataclass
class Identity:
    """What a run takes, and the Keycloak it talks to."""

    keycloak: FakeKeycloak
    server: Server
    secrets_file: Path
    document: dict[str, Any]

    def run(self, document: object = None, **options: Any) -> Outcome:
        given: dict[str, Any] = {
            "document": copy.deepcopy(self.document) if document is None else document,
            "ca_file": None,
            "secrets_file": str(self.secrets_file),
            "bootstrap_client_id": TEMPORARY,
            "bootstrap_secret": TEMPORARY_SECRET,
            "patience": 0.0,
        }
        return bootstrap(Request(**(given | options)))

    def set_secret(self, name: str, value: str) -> None:
        self.secrets_file.write_text(json.dumps(values() | {name: value}), encoding="utf-8")

    @property
    def realm(self) -> Any:
        return self.keycloak.realms["gpuaas"]

    @property
    def master(self) -> Any:
        return self.keycloak.realms["master"]


@contextlib.contextmanager
def new_identity(directory: Path) -> Iterator[Identity]:
    """A Keycloak at its first start, and the secrets of a platform."""
    keycloak = FakeKeycloak(TEMPORARY, values()[TEMPORARY_SECRET])
    server = Server(keycloak)
    secrets_file = directory / "secrets.yml"
    secrets_file.touch(mode=0o600)
    secrets_file.write_text(json.dumps(values()), encoding="utf-8")
    try:
        yield Identity(keycloak, server, secrets_file, rendered(server.url))
    finally:
        server.close()
